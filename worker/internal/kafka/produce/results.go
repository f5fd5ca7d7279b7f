package produce

import (
	"context"
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/trouble"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// failureRepeated is how often a failure that stays the same is logged again.
const failureRepeated = 30 * time.Second

// resultHandler acts on the results of a sender's requests. It belongs to the
// sender's goroutine.
type resultHandler struct {
	p      *Producer
	broker int32
	tx     *transaction // that the present response is about; nil without transactions
	ack    Ack
	report trouble.Report    // of the present response
	active []*partitionQueue // of the present response: they stay with the sender
	pause  time.Duration     // of the present response, if the transaction can't begin yet
	busy   backoff.Backoff   // of the pauses
}

// begin begins a response.
func (h *resultHandler) begin(tx *transaction) {
	h.tx, h.pause = tx, 0
	h.report = trouble.Report{}
	clear(h.active)
	h.active = h.active[:0]
}

// handleResponse acts on the response to a request, or on its error.
func (h *resultHandler) handleResponse(batches []outgoing, res *response, err error) {
	if err != nil {
		h.failAll(batches, err)
		return
	}
	for _, o := range batches {
		h.handleResult(o, res.result(o.queue.topic.name, o.queue.partition))
	}
	if h.pause == 0 {
		h.busy.Reset()
	}
}

// end ends a response. It returns the queues that stay with the sender.
func (h *resultHandler) end() []*partitionQueue {
	h.report.Log(h.p.log, "records can't be written, will be retried", "records are written again", "broker", h.broker)
	return h.active
}

// failAll handles a request without a response: nobody knows which of its batches are
// stored.
func (h *resultHandler) failAll(batches []outgoing, err error) {
	fatal := !kafka.Retriable(err) && !errors.Is(err, context.Canceled)
	if fatal {
		h.p.fatal.add(fmt.Errorf("write to broker %d: %w", h.broker, err))
	}
	for _, o := range batches {
		if !fatal {
			h.noteFailure(o.queue, err)
		}
		noteMaybeStored(o.batch, err)
		h.sendAgain(o.queue, true)
	}
}

// handleResult handles the response about one batch.
func (h *resultHandler) handleResult(o outgoing, r *result) {
	q, b := o.queue, o.batch
	if r == nil {
		noteMaybeStored(b, wire.ErrOmitted)
		h.noteFailure(q, wire.ErrOmitted)
		h.sendAgain(q, true)
		return
	}
	if h.handleTransaction(q, r) {
		return
	}
	err := wire.ErrorOf(r.errorCode)
	switch judge(r.errorCode) {
	case stored:
		h.noteSuccess(q)
		h.stored(q, b, r)
	case renew:
		h.p.ids.startOver(q)
		b.Reopen()
		h.noteFailure(q, err)
		h.sendAgain(q, false)
	case tooLarge:
		h.tooLarge(q, b, r)
	case refuse:
		h.refuse(q, b, r)
	case sendAgain:
		noteMaybeStored(b, err)
		h.noteFailure(q, err)
		h.sendAgain(q, kafka.StaleLeader(err))
	case unexplained:
		h.unexplained(q, b, r)
	case unsupported:
		h.unsupported(q, b, r)
	case fatal:
		h.forbidden(q, b, r)
	}
}

func (h *resultHandler) stored(q *partitionQueue, b *batch.Builder, r *result) {
	offset := r.baseOffset
	if r.errorCode != 0 {
		// The broker has the batch, but does not remember its offset.
		offset = -1
	}
	q.sequence = batch.SequenceAfter(q.sequence, b.Count())
	q.refusals, q.away = refusals{}, refusals{}
	q.topic.limit.accept(b.Size())
	h.acknowledge(q, offset, b.Origins(), b.Payload(), nil)
	h.finish(q, b)
}

// sendAgain keeps a queue's batch for another attempt, and moves records that need not
// wait for it to other partitions. With moved, the partition's leader is looked up
// first.
func (h *resultHandler) sendAgain(q *partitionQueue, moved bool) {
	q.setStuck(true)
	if moved {
		h.p.client.ForgetLeaders(q.topic.name)
	}
	if h.p.router.divert(q) {
		return
	}
	pause := q.backoff.Next()
	if moved {
		h.p.router.route(q, pause)
		return
	}
	q.notBefore = time.Now().Add(pause)
	h.active = append(h.active, q)
}

// finish ends a batch without unsettled records, or replaces it by others. The queue
// stays with the sender while there is something in it.
func (h *resultHandler) finish(q *partitionQueue, b *batch.Builder, others ...*batch.Builder) {
	if h.p.outcomes.replace(q, b, others...) {
		h.active = append(h.active, q)
	}
}

// acknowledge reports the outcome of records of a batch.
func (h *resultHandler) acknowledge(q *partitionQueue, offset int64, origins []batch.Origin, bytes int, err error) {
	h.ack = Ack{Topic: q.topic.name, Partition: q.partition, BaseOffset: offset, Origins: origins, Bytes: bytes, Err: err}
	h.p.outcomes.acknowledge(&h.ack)
	h.ack.Origins = nil
}

// noteFailure notes a failure to write a queue's first batch.
func (h *resultHandler) noteFailure(q *partitionQueue, err error) {
	q.topic.setFailing(q, true) // each time: retryIdle may have reset it
	if q.failures.Failed(failureKind(err), failureRepeated) {
		h.report.Failed(q.topic.name, q.partition, err.Error(), q.failures.Age())
	}
}

// noteSuccess notes that a queue's first batch is stored.
func (h *resultHandler) noteSuccess(q *partitionQueue) {
	q.backoff.Reset()
	if q.failures.Ended() {
		q.topic.setFailing(q, false)
		h.report.Ended(q.topic.name, q.partition)
	}
}

// noteMaybeStored notes whether b may be stored although its request ended with err.
// It is not if nothing was sent, or if the broker refused the batch for a
// reason that it checks before it appends: no leader, or too few replicas. A request
// that a change of the leader ends after the append may end with any other error.
func noteMaybeStored(b *batch.Builder, err error) {
	if _, ok := errors.AsType[notSent](err); ok {
		return
	}
	switch code, _ := errors.AsType[kafkago.Error](err); code {
	case kafkago.NotEnoughReplicas, kafkago.LeaderNotAvailable:
	default:
		b.MaybeStored = true
	}
}

// outcomes ends the batches of a Producer and reports the outcome of their records.
type outcomes struct {
	onAck   func(*Ack)
	memory  *memory
	flusher *flusher
}

// replace ends the first batch of a queue, or replaces it by others. It reports whether
// the queue stays active.
func (o *outcomes) replace(q *partitionQueue, b *batch.Builder, others ...*batch.Builder) (active bool) {
	settled := int(b.Count())
	for _, other := range others {
		settled -= int(other.Count())
	}
	active = q.replace(settled, others...)
	o.memory.release(b) // nobody finds it in the queue any more
	o.flusher.progressed()
	return active
}

// acknowledge passes an outcome to OnAck.
func (o *outcomes) acknowledge(a *Ack) {
	if a.Err != nil {
		o.memory.refusing.Add(1)
		defer o.memory.refusing.Add(-1)
	}
	o.onAck(a)
}
