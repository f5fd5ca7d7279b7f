package batch

import (
	"cmp"
	"encoding/binary"
	"errors"
	"slices"

	"github.com/millrace-dev/millrace/worker/internal/record"
)

// AbortedTransaction is an entry of a fetch answer's list: the producer's records
// from the offset on are aborted, up to its next abort marker.
type AbortedTransaction struct {
	ProducerID  int64
	FirstOffset int64
}

// transactionFilter decides which log batches of a set have readable records. The Set
// passes it all batches in the order of their offsets.
type transactionFilter struct {
	readCommitted bool
	pending       []AbortedTransaction // by their first offset, not reached yet
	aborting      []int64              // producers inside an aborted transaction
}

func newTransactionFilter(readCommitted bool, aborted []AbortedTransaction) transactionFilter {
	if !readCommitted {
		return transactionFilter{}
	}
	slices.SortFunc(aborted, func(a, b AbortedTransaction) int { return cmp.Compare(a.FirstOffset, b.FirstOffset) })
	return transactionFilter{readCommitted: true, pending: aborted}
}

// wants reports whether h has records to read. It may be asked again about the
// same batch.
func (f *transactionFilter) wants(h *logBatch) bool {
	for len(f.pending) > 0 && f.pending[0].FirstOffset <= h.last {
		if id := f.pending[0].ProducerID; !slices.Contains(f.aborting, id) {
			f.aborting = append(f.aborting, id)
		}
		f.pending = f.pending[1:]
	}
	return h.count > 0 && !h.control() && !(h.transactional() && slices.Contains(f.aborting, h.producerID))
}

// pass skips a batch without readable records. An abort marker ends its producer's
// aborted transaction.
func (f *transactionFilter) pass(h *logBatch, a *arena) error {
	if !f.readCommitted || !h.control() || h.count == 0 {
		return nil
	}
	aborts, err := abortMarker(h, a)
	if err != nil || !aborts {
		return err
	}
	if i := slices.Index(f.aborting, h.producerID); i >= 0 {
		f.aborting = slices.Delete(f.aborting, i, i+1)
	}
	return nil
}

// abortMarker reports whether the control batch h says that a transaction was
// aborted.
func abortMarker(h *logBatch, a *arena) (bool, error) {
	const abort = 0
	o := openBatch{logBatch: *h, content: h.payload(), left: h.count, least: h.base}
	if codec := h.codec(); codec != 0 {
		var err error
		if o.content, err = a.decompress(codec, h.payload(), 0); err != nil {
			return false, err
		}
	}
	start, end, err := o.frame()
	if err != nil {
		return false, err
	}
	var marker record.Record
	var headers []record.Header
	if err := o.decode(start, end, &marker, &headers); err != nil {
		return false, err
	}
	// The key is the marker's version and type.
	if len(marker.Key) < 4 {
		return false, errors.New("a control record without a type")
	}
	return binary.BigEndian.Uint16(marker.Key[2:]) == abort, nil
}
