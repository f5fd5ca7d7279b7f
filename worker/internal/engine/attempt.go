package engine

import (
	"context"
	"errors"

	"github.com/millrace-dev/millrace/worker/internal/dispatch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// attempt is the dispatch.Worker of one pool goroutine: it calls the user's
// code and turns what it emits into messages.
type attempt struct {
	m    *member
	outs []*record.Outputs // of each item
	errs []error           // of each item
	msg  batch.Message
	// targets are the writers of the outputs of the record that is finished.
	targets []target

	// What a batch's call is given: the items but for the condemned ones.
	recs  []*record.Record
	given []*record.Outputs
	whole wholeFailure
}

// target is the writer of an output's topic, or the reason why there is none.
type target struct {
	writer *kafka.TopicWriter
	err    error
}

// ownCacheLine is a capacity for errors that makes a slice lie in cache lines of
// its own: with each record all goroutines write to theirs.
const ownCacheLine = 8

func newAttempt(m *member, batchSize int) *attempt {
	a := &attempt{m: m, errs: make([]error, batchSize, max(batchSize, ownCacheLine))}
	for range batchSize {
		a.outs = append(a.outs, &record.Outputs{})
	}
	return a
}

// Process implements dispatch.Worker.
func (a *attempt) Process(ctx context.Context, items []dispatch.Item) {
	if a.m.e.code.InBatches() {
		a.processBatch(ctx, items)
		return
	}
	it := items[0]
	a.outs[0].Reset()
	if a.errs[0] = a.m.condemned(it); a.errs[0] == nil {
		a.errs[0] = a.m.e.code.Process(ctx, it.Record(), a.outs[0])
	}
}

func (a *attempt) processBatch(ctx context.Context, items []dispatch.Item) {
	a.recs, a.given, a.whole = a.recs[:0], a.given[:0], wholeFailure{}
	for k, it := range items {
		a.outs[k].Reset()
		if a.errs[k] = a.m.condemned(it); a.errs[k] == nil {
			a.recs = append(a.recs, it.Record())
			a.given = append(a.given, a.outs[k])
		}
	}
	if len(a.recs) == 0 {
		return
	}
	switch err := a.m.e.code.ProcessBatch(ctx, a.recs, a.given); {
	case err == nil:
	case len(a.recs) == 1:
		a.given[0].Fail(err)
	default:
		a.whole.err = usercode.Usable(err)
	}
}

// Expire implements dispatch.Worker.
func (a *attempt) Expire(items []dispatch.Item, err error) {
	a.whole = wholeFailure{}
	if len(items) > 1 {
		a.whole.err = err
		return
	}
	a.outs[0].Reset()
	a.errs[0] = err
}

// Finish implements dispatch.Worker. The chunk must not be touched after its
// record's last output is appended: the acknowledgement may free it at once.
func (a *attempt) Finish(k int, it dispatch.Item) dispatch.Verdict {
	c := it.Chunk.Owner.(*chunk)
	i := int(it.Index)
	if c.Cancelled.Load() && !a.m.wanted(c, i) {
		return dispatch.Verdict{}
	}
	if c.alone {
		a.m.tried(c)
	}
	err := a.errs[k]
	if err == nil && a.whole.err != nil {
		return a.m.failedTogether(&a.whole, c, it)
	}
	if err == nil {
		err = a.outs[k].Err()
	}
	if err != nil {
		return a.m.failed(c, it, usercode.Usable(err))
	}
	outs := a.outs[k].List()
	if err := a.resolve(outs); err != nil {
		return a.m.topicPending(c, i, err)
	}
	switch len(outs) {
	case 0:
		a.m.settleFiltered(c, i)
		return dispatch.Verdict{}
	case 1:
	default:
		c.span.Expect(i, len(outs)-1)
	}
	if c.outcomes != nil {
		c.outcomes.expect(i, len(outs))
	}
	rec := &c.Records[i]
	for j := range outs {
		a.write(c, i, rec, &outs[j], a.targets[j])
	}
	return dispatch.Verdict{}
}

// resolve finds the writers of the outputs. It fails if it is not known yet
// whether a topic exists that one of them names.
func (a *attempt) resolve(outs []record.Output) error {
	a.targets = a.targets[:0]
	for j := range outs {
		writer, err := a.m.writer(outs[j].Topic)
		if err != nil && errors.Is(err, kafka.ErrTopicPending) {
			return err
		}
		a.targets = append(a.targets, target{writer, err})
	}
	return nil
}

// write appends one output. An output that can't be written exhausts its
// record; one that is cut off by the worker's end leaves it unsettled.
func (a *attempt) write(c *chunk, i int, rec *record.Record, o *record.Output, to target) {
	m, err := a.m, to.err
	if err == nil {
		a.fill(rec, o)
		err = to.writer.Append(c.part.owned, m.placement(c, rec, a.msg.Key), &a.msg, batch.Origin{Owner: c, Index: int32(i)})
	}
	if err != nil && !errors.Is(err, context.Canceled) {
		m.undeliverable(c, i, err)
	}
}

// fill sets a.msg to the output with what it takes over from the record.
func (a *attempt) fill(rec *record.Record, o *record.Output) {
	msg := &a.msg
	msg.Value, msg.Key = o.Value, o.KeyFor(rec)
	msg.Headers, msg.Extra = o.HeadersFor(rec, msg.Extra[:0])
	msg.Timestamp = -1
	if t := o.TimestampFor(rec); !t.IsZero() {
		msg.Timestamp = t.UnixMilli()
	}
}
