package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/dispatch"
	"github.com/millrace-dev/millrace/worker/internal/failure"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/produce"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
)

// attempt is the dispatch.Worker of one pool goroutine: it calls the user's
// code and turns what it emits into messages.
type attempt struct {
	code     *usercode.Code
	settler  *settler
	writers  *writers
	ordering config.Ordering
	exact    *transactions // nil if delivery is not ExactlyOnce
	door     *door         // nil if exact is, and before the first result

	outs []*record.Outputs // of each item
	errs []error           // of each item
	msg  batch.Message
	// targets holds the writer of each output of the present record.
	targets []target

	// The arguments of a batch's call: the items without the condemned ones.
	recs  []*record.Record
	given []*record.Outputs
	whole wholeFailure

	// call is the context of the user's calls, until that of the pool changes.
	call *call
}

// target is the writer of an output's topic, or the reason why there is none.
type target struct {
	writer *produce.TopicWriter
	err    error
}

// ownCacheLine is a capacity for errors that keeps the slice apart from other memory
// in the processor's cache: each goroutine writes to its slice with each record.
const ownCacheLine = 8

func newAttempt(s *settler) *attempt {
	batchSize := s.proc.code.BatchSize()
	a := &attempt{
		code: s.proc.code, settler: s, writers: s.writers, ordering: s.proc.cfg.Ordering, exact: s.exact,
		errs: make([]error, batchSize, max(batchSize, ownCacheLine)),
	}
	for range batchSize {
		a.outs = append(a.outs, &record.Outputs{})
	}
	return a
}

// Process implements dispatch.Worker.
func (a *attempt) Process(pool context.Context, items []dispatch.Item) {
	ctx := a.begin(pool, items)
	if a.code.InBatches() {
		a.processBatch(ctx, items)
		return
	}
	it := items[0]
	a.outs[0].Reset()
	if a.errs[0] = a.settler.condemned(it); a.errs[0] == nil {
		a.errs[0] = a.code.Process(ctx, it.Record(), a.outs[0])
	}
}

func (a *attempt) processBatch(ctx context.Context, items []dispatch.Item) {
	a.recs, a.given, a.whole = a.recs[:0], a.given[:0], wholeFailure{}
	for k, it := range items {
		a.outs[k].Reset()
		if a.errs[k] = a.settler.condemned(it); a.errs[k] == nil {
			a.recs = append(a.recs, it.Record())
			a.given = append(a.given, a.outs[k])
		}
	}
	if len(a.recs) == 0 {
		return
	}
	switch err := a.code.ProcessBatch(ctx, a.recs, a.given); {
	case err == nil:
	case len(a.recs) == 1:
		a.given[0].Fail(err)
	default:
		a.whole.err = usercode.Usable(err)
	}
}

// Expire implements dispatch.Worker. A call that has waited for something else until its end,
// as its error says, has not begun.
func (a *attempt) Expire(items []dispatch.Item, err error) {
	if a.isUntried(len(items)) {
		return
	}
	err = explained(err, a.returned(len(items)))
	a.whole = wholeFailure{}
	if len(items) > 1 {
		a.whole.err = err
		return
	}
	a.outs[0].Reset()
	a.errs[0] = err
}

// returned returns the error of the call of so many items, or of its only item, which has just
// ended.
func (a *attempt) returned(items int) error {
	if items > 1 {
		return a.whole.err
	}
	return cmp.Or(a.errs[0], a.outs[0].Err())
}

// explained returns the error of an attempt that overran its timeout, with the text of the error
// that the processor has returned: that one often knows what took so long. Its kind does not
// count.
func explained(overrun, returned error) error {
	if returned == nil || returned == context.DeadlineExceeded { //nolint:errorlint // wrapped, it says more
		return overrun
	}
	return fmt.Errorf("%w: %s", overrun, usercode.Usable(returned).Error())
}

// isUntried reports whether the attempt of so many items, which has just ended, did not begin.
func (a *attempt) isUntried(items int) bool {
	if items > 1 {
		return failure.IsUntried(a.whole.err)
	}
	return failure.IsUntried(a.errs[0]) || failure.IsUntried(a.outs[0].Err())
}

// Finish implements dispatch.Worker. The chunk must not be touched after its
// record's last output is appended: the acknowledgement may free it at once.
func (a *attempt) Finish(k int, it dispatch.Item) dispatch.Verdict {
	if a.exact != nil {
		d := a.ownDoor()
		d.Lock()
		defer d.Unlock()
	}
	c := it.Chunk.Owner.(*chunk)
	i := int(it.Index)
	if c.Cancelled.Load() && !a.settler.counts(c, i) {
		return dispatch.Verdict{}
	}
	if c.alone {
		a.settler.triedAlone(c)
	}
	err, together := a.errs[k], false
	switch {
	case err != nil:
	case a.whole.err != nil:
		err, together = a.whole.err, true
	default:
		err = a.outs[k].Err()
	}
	if err != nil {
		return a.failed(c, it, usercode.Usable(err), together)
	}
	return a.writeAll(c, i, a.outs[k].List())
}

// ownDoor returns the goroutine's door. It makes the door late: the pool makes the attempt
// under its lock, for which others may wait in their doors.
func (a *attempt) ownDoor() *door {
	if a.door == nil {
		a.door = a.exact.gate.newDoor()
	}
	return a.door
}

// failed takes the failed attempt of an item; together says that its whole call has failed.
func (a *attempt) failed(c *chunk, it dispatch.Item, err error, together bool) dispatch.Verdict {
	switch {
	case failure.IsUntried(err):
		return a.settler.untried(&a.whole, c, it, err)
	case together:
		return a.settler.failedTogether(&a.whole, c, it)
	default:
		return a.settler.failed(c, it, err)
	}
}

// writeAll appends the outputs of record i.
func (a *attempt) writeAll(c *chunk, i int, outs []record.Output) dispatch.Verdict {
	if err := a.resolve(outs); err != nil {
		return a.settler.topicPending(c, i, err)
	}
	switch len(outs) {
	case 0:
		a.settler.settleFiltered(c, i)
		return dispatch.Verdict{}
	case 1:
	default:
		if err := a.unwritable(); err != nil && a.exact != nil {
			a.settler.undeliverable(c, i, err)
			return dispatch.Verdict{}
		}
		c.span.Expect(i, len(outs)-1)
	}
	if c.outcomes != nil {
		c.outcomes.expect(i, len(outs))
	}
	rec := &c.Records[i]
	for j := range outs {
		err := a.write(c, i, rec, &outs[j], a.targets[j], len(outs) > 1)
		switch {
		case err == nil:
		case a.exact != nil && len(outs) > 1:
			a.exact.cutOff(c, i, j, err)
			return dispatch.Verdict{}
		case !errors.Is(err, context.Canceled):
			a.settler.undeliverable(c, i, err)
		}
	}
	return dispatch.Verdict{}
}

// unwritable returns why one of the outputs can't be written, nil if all may be.
func (a *attempt) unwritable() error {
	for _, to := range a.targets {
		if to.err != nil {
			return to.err
		}
	}
	return nil
}

// resolve finds the writers of the outputs. It fails if it is not known yet
// whether a topic exists that one of them names.
func (a *attempt) resolve(outs []record.Output) error {
	a.targets = a.targets[:0]
	for j := range outs {
		writer, err := a.writers.named(outs[j].Topic)
		if err != nil && errors.Is(err, produce.ErrTopicPending) {
			return err
		}
		a.targets = append(a.targets, target{writer, err})
	}
	return nil
}

// write appends one output. An output that can't be written exhausts its
// record; one that is cut off by the worker's end (context.Canceled) leaves it unsettled.
func (a *attempt) write(c *chunk, i int, rec *record.Record, o *record.Output, to target, joint bool) error {
	if to.err != nil {
		return to.err
	}
	a.fill(rec, o)
	origin := batch.Origin{Owner: c, Index: int32(i), Joint: joint}
	return to.writer.Append(c.part.owned, a.placement(c, rec, a.msg.Key), &a.msg, origin)
}

// placement chooses the partition of an output. An output with a key goes where
// Kafka's default partitioner puts it. Outputs without a key stay together with others
// of their input's partition if there is an order to keep; otherwise each chunk goes to
// another partition, which fills batches. Only the ordering Partition promises an order
// of records without a key, and so it alone waits for a partition that can't be
// written to.
func (a *attempt) placement(c *chunk, rec *record.Record, key []byte) produce.Placement {
	switch {
	case key != nil:
		return produce.ByKey()
	case a.ordering == config.Unordered:
		return produce.Anywhere(c.number)
	case a.ordering == config.Key:
		return produce.Anywhere(uint32(rec.Partition))
	default:
		return produce.At(uint32(rec.Partition))
	}
}

// fill sets a.msg to the output, with the parts that it takes over from the record.
func (a *attempt) fill(rec *record.Record, o *record.Output) {
	msg := &a.msg
	msg.Value, msg.Key = o.Value, o.KeyFor(rec)
	msg.Headers, msg.Extra = o.HeadersFor(rec, msg.Extra[:0])
	msg.Timestamp = -1
	if t := o.TimestampFor(rec); !t.IsZero() {
		msg.Timestamp = t.UnixMilli()
	}
}
