package fetch

import (
	"fmt"
	"io"

	"github.com/segmentio/kafka-go/protocol"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// response is a broker's response. Each partition's records have their own
// buffer, so that a slow partition keeps only its memory.
type response struct {
	throttleMs int32
	errorCode  int16
	partitions []responsePartition
}

// responsePartition is the response about one partition.
type responsePartition struct {
	partition        int32
	errorCode        int16
	highWatermark    int64
	lastStableOffset int64
	logStartOffset   int64
	aborted          []batch.AbortedTransaction
	records          *batch.Buffer // nil if there are none; has one hold
	size             int           // bytes of records
}

// ApiKey implements protocol.Message.
func (r *response) ApiKey() protocol.ApiKey { return protocol.Fetch }

// release gives back the records that nobody has taken.
func (r *response) release() {
	for i := range r.partitions {
		if b := r.partitions[i].records; b != nil {
			b.Release()
			r.partitions[i].records = nil
		}
	}
}

// maxResponseBytes bounds a response. A broker exceeds the limit of the request by at
// most one log batch.
const maxResponseBytes = batch.MaxBytes + 64<<20

// readResponse reads the answer to req; on an error nothing is left to
// release.
func readResponse(from io.Reader, req *request) (*response, error) {
	r := wire.NewStream(from)
	defer r.Free()
	if err := r.Start(maxResponseBytes, correlationID); err != nil {
		return nil, err
	}
	res := &response{partitions: make([]responsePartition, 0, len(req.partitions))}
	res.read(r, req)
	if err := r.End(); err != nil {
		res.release()
		return nil, err
	}
	return res, nil
}

func (r *response) read(w *wire.Stream, req *request) {
	r.throttleMs = w.Int32()
	if req.version >= 7 {
		r.errorCode = w.Int16()
		w.Int32() // session id
	}
	for range w.Count(6) {
		topic := w.String()
		if w.Err() != nil {
			return
		}
		for range w.Count(18) {
			p := readPartition(w, req)
			if w.Err() == nil && topic == req.topic {
				r.partitions = append(r.partitions, p)
			} else if p.records != nil {
				p.records.Release()
			}
			if w.Err() != nil {
				return
			}
		}
	}
}

func readPartition(r *wire.Stream, req *request) responsePartition {
	p := responsePartition{
		partition:        r.Int32(),
		errorCode:        r.Int16(),
		highWatermark:    r.Int64(),
		lastStableOffset: r.Int64(),
		logStartOffset:   -1,
	}
	if req.version >= 5 {
		p.logStartOffset = r.Int64()
	}
	for range r.Count(16) {
		p.aborted = append(p.aborted, batch.AbortedTransaction{ProducerID: r.Int64(), FirstOffset: r.Int64()})
		if r.Err() != nil {
			break
		}
	}
	if req.version >= 11 {
		r.Int32() // preferred read replica: none, as the request names no rack
	}
	p.records, p.size = readRecords(r, req.pool, req.owner(p.partition))
	return p
}

// readRecords reads a record set into a buffer of pool; nil if it is null or empty.
func readRecords(r *wire.Stream, pool *batch.Pool, owner *batch.Account) (*batch.Buffer, int) {
	size := int(r.Int32())
	if size > r.Left() {
		r.Fail(fmt.Errorf("records of %d bytes where %d are left", size, r.Left()))
	}
	if r.Err() != nil || size <= 0 {
		return nil, 0
	}
	b := pool.GetFor(owner, min(size, batch.MaxPooled))
	for at := 0; ; {
		end := min(size, len(b.Bytes()))
		if !r.Fill(b.Bytes()[at:end]) {
			b.Release()
			return nil, 0
		}
		if at = end; at == size {
			return b, size
		}
		// Larger memory is taken as the data comes, not for a claim.
		larger := pool.GetFor(owner, min(size, 4*len(b.Bytes())))
		copy(larger.Bytes(), b.Bytes())
		b.Release()
		b = larger
	}
}
