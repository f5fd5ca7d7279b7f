package kafka

import (
	"fmt"
	"io"

	"github.com/segmentio/kafka-go/protocol"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
)

// fetchResponse is a broker's answer. Each partition's records are in a buffer
// of their own, so that one partition that is slow to be worked through keeps
// only its own memory.
type fetchResponse struct {
	throttleMs int32
	errorCode  int16
	partitions []fetchedPartition
}

// fetchedPartition is what was answered about one partition.
type fetchedPartition struct {
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
func (r *fetchResponse) ApiKey() protocol.ApiKey { return protocol.Fetch }

// release gives back the records that nobody has taken.
func (r *fetchResponse) release() {
	for i := range r.partitions {
		if b := r.partitions[i].records; b != nil {
			b.Release()
			r.partitions[i].records = nil
		}
	}
}

// maxResponseBytes bounds an answer. A broker exceeds the limit of the request
// only by one log batch, so what is larger is no answer to a fetch.
const maxResponseBytes = batch.MaxBytes + 64<<20

// readFetchResponse reads the answer to req; on an error nothing is left to
// release.
func readFetchResponse(from io.Reader, req *fetchRequest) (*fetchResponse, error) {
	r := newWireReader(from)
	defer r.free()
	r.left = 4
	size := int64(r.int32())
	if r.err != nil {
		return nil, r.err
	}
	if size < 8 || size > maxResponseBytes {
		return nil, fmt.Errorf("a size of %d bytes can't be", size)
	}
	r.left = int(size)
	if id := r.int32(); r.err == nil && id != fetchCorrelationID {
		return nil, fmt.Errorf("it answers request %d, not %d", id, fetchCorrelationID)
	}
	res := &fetchResponse{partitions: make([]fetchedPartition, 0, len(req.partitions))}
	res.read(r, req)
	if r.err == nil && r.left != 0 {
		r.fail(fmt.Errorf("%d bytes belong to no field", r.left))
	}
	if r.err != nil {
		res.release()
		return nil, r.err
	}
	return res, nil
}

func (r *fetchResponse) read(w *wireReader, req *fetchRequest) {
	r.throttleMs = w.int32()
	if req.version >= 7 {
		r.errorCode = w.int16()
		w.int32() // session id
	}
	for range w.count(6) {
		topic := w.string()
		for range w.count(18) {
			p := readFetchedPartition(w, req)
			if w.err == nil && topic == req.topic {
				r.partitions = append(r.partitions, p)
			} else if p.records != nil {
				p.records.Release()
			}
			if w.err != nil {
				return
			}
		}
	}
}

func readFetchedPartition(r *wireReader, req *fetchRequest) fetchedPartition {
	p := fetchedPartition{
		partition:        r.int32(),
		errorCode:        r.int16(),
		highWatermark:    r.int64(),
		lastStableOffset: r.int64(),
		logStartOffset:   -1,
	}
	if req.version >= 5 {
		p.logStartOffset = r.int64()
	}
	for range r.count(16) {
		p.aborted = append(p.aborted, batch.AbortedTransaction{ProducerID: r.int64(), FirstOffset: r.int64()})
	}
	if req.version >= 11 {
		r.int32() // preferred read replica: none, as the request names no rack
	}
	p.records, p.size = r.records(req.pool, req.owner(p.partition))
	return p
}
