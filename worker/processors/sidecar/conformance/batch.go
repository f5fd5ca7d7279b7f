package conformance

import (
	"time"

	"github.com/millrace-dev/millrace/worker"
	inner "github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/frame"
)

// batch is a batch that was sent, with the results so far.
type batch struct {
	id      uint64
	records []*worker.Record
	results []*result
	failure *frame.Failure // of the whole batch
	left    int
	bytes   int
}

// result is that of a record.
type result struct {
	outputs []inner.Output
	failure *frame.Failure
}

// sendBatch sends records as a batch. The process has a minute for it.
func (l *link) sendBatch(records ...*worker.Record) *batch {
	return l.sendBatchFor(time.Minute, records...)
}

func (l *link) sendBatchFor(timeout time.Duration, records ...*worker.Record) *batch {
	for l.credit == 0 {
		l.takeMessage()
	}
	l.credit--
	l.lastID++
	b := &batch{id: l.lastID, records: records, results: make([]*result, len(records)), left: len(records)}
	l.batches[b.id] = b
	l.send(encodeBatch(b.id, timeout, records))
	return b
}

func encodeBatch(id uint64, timeout time.Duration, records []*worker.Record) []byte {
	var e frame.Encoder
	attempts := make([]uint32, len(records))
	for i := range attempts {
		attempts[i] = 1
	}
	return e.Append(nil, &frame.Batch{
		ID: id, Topic: "conformance", TimeoutMillis: uint32(timeout.Milliseconds()), Records: records, Attempts: attempts,
	})
}

// await takes messages until the batch is answered.
func (l *link) await(b *batch) *batch {
	for b.left > 0 && b.failure == nil {
		l.takeMessage()
	}
	return b
}

// process sends a batch of values and waits for its results.
func (l *link) process(values ...string) *batch {
	var records []*worker.Record
	for _, v := range values {
		records = append(records, record(v))
	}
	return l.await(l.sendBatch(records...))
}

// takeMessage takes one message of an open connection.
func (l *link) takeMessage() {
	kind, body := l.receive()
	l.act(kind, body)
}

func (l *link) act(kind frame.Kind, body []byte) {
	number, err := uint64(0), error(nil)
	switch kind {
	case frame.Results:
		l.takeResults(body)
	case frame.Credit:
		number, err = frame.ParseNumber(body)
		l.credit += int(number)
	case frame.Pong:
		number, err = frame.ParseNumber(body)
		l.pongs = append(l.pongs, number)
	case frame.Drained:
		l.drained++
	case frame.Close:
		reason, _ := frame.ParseClose(body)
		l.failf("the process closes the connection: %q", reason)
	case frame.Hello:
		l.failf("the process sends a second Hello")
	}
	l.expect(err == nil, "a message can't be read: %v", err)
}

func (l *link) takeResults(body []byte) {
	head, err := frame.ParseResults(body)
	l.expect(err == nil, "%v", err)
	b := l.batches[head.Batch]
	l.expect(b != nil, "the process sends results of batch %d, which was not sent", head.Batch)
	l.expect(b.left > 0 && b.failure == nil, "the process sends results of batch %d, which was answered before", head.Batch)
	b.bytes += l.size
	l.expect(b.bytes <= l.terms.maxFrame, "the results of a batch have %d bytes, and max_frame_bytes is %d", b.bytes, l.terms.maxFrame)
	l.countBytes()
	b.failure = head.Failure
	d := frame.NewDecoder(append([]byte(nil), body...)) // the reader reuses the body
	for {
		r, ok, err := d.Next()
		l.expect(err == nil, "%v", err)
		if !ok {
			return
		}
		l.takeResult(b, &r)
	}
}

func (l *link) takeResult(b *batch, r *frame.Result) {
	i := int(r.Index)
	l.expect(i < len(b.records), "a result is for the record at %d of a batch of %d", i, len(b.records))
	l.expect(b.results[i] == nil, "the record at %d of a batch has two results", i)
	var out worker.Outputs
	err := r.Emit(b.records[i], &out)
	l.expect(err == nil, "%v", err)
	b.results[i] = &result{outputs: usercode.As[inner.Outputs](&out).List(), failure: r.Failure}
	b.left--
}

// countBytes checks the process's credit for the bytes of a message, and gives it back.
func (l *link) countBytes() {
	l.used += l.size
	l.expect(l.used <= l.terms.byteCredit, "the process sends %d bytes of results, and has credit for %d", l.used, l.terms.byteCredit)
	if !l.terms.keepCredit {
		l.giveBytes()
	}
}

// giveBytes gives the credit for bytes back.
func (l *link) giveBytes() {
	if l.used > 0 {
		l.send(frame.AppendCredit(nil, uint64(l.used)))
		l.used = 0
	}
}
