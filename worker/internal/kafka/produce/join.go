package produce

import (
	"errors"
	"fmt"
	"slices"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/internal/kafka/txn"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// transactionAbortable is a code that kafka-go does not name: the transaction can only be
// aborted.
const transactionAbortable kafkago.Error = 120

// busyCoordinator is the wait while the coordinator still writes the markers of the
// transaction before, which usually takes a few milliseconds.
func busyCoordinator() backoff.Backoff {
	return backoff.Backoff{Initial: 10 * time.Millisecond, Max: 100 * time.Millisecond}
}

// join makes the partitions of the request part of its transaction, unless the brokers do
// so. It takes the batches back that can't be sent.
func (s *sender) join() {
	r := &s.request
	if r.tx == nil {
		return
	}
	missing := r.count()
	if r.tx.version >= 2 {
		s.p.transactions.announce(r.tx)
		return
	}
	if len(missing) == 0 {
		return
	}
	err := r.tx.AddPartitions(r.ctx, missing)
	s.p.tries.Add(1)
	refused, some := errors.AsType[*txn.PartitionsError](err)
	if err == nil || some {
		r.batches = slices.DeleteFunc(r.batches, func(o outgoing) bool { return s.joined(o, refused) != nil })
		return
	}
	if r.ctx.Err() == nil {
		s.results.doom(err)
	}
	s.putBack(r.batches)
	r.clear()
}

// count adds the bytes of the request to those of its transaction. It returns the
// partitions that were not made part of it yet, for version 1.
func (r *writeRequest) count() []txn.TopicPartition {
	bytes := 0
	r.joining = r.joining[:0]
	for _, o := range r.batches {
		bytes += len(o.batch.Encoded())
		if o.queue.joined != r.tx {
			r.joining = append(r.joining, o.queue.name())
		}
	}
	r.p.transactions.sent.Add(int64(bytes))
	return r.joining
}

// joined notes the coordinator's answer about a batch's partition, and returns its error.
func (s *sender) joined(o outgoing, refused *txn.PartitionsError) error {
	if refused != nil {
		if err := refused.Failed[o.queue.name()]; err != nil {
			s.results.notJoined(o, err)
			return err
		}
	}
	o.queue.joined = s.request.tx
	return nil
}

func (q *partitionQueue) name() txn.TopicPartition {
	return txn.TopicPartition{Topic: q.topic.name, Partition: q.partition}
}

// notJoined handles a batch whose partition the coordinator does not make part of the
// transaction. The batch was not sent.
func (h *resultHandler) notJoined(o outgoing, err error) {
	code, _ := errors.AsType[kafkago.Error](err)
	if judge(int16(code)) == fatal {
		h.forbidden(o.queue, o.batch, &result{topic: o.queue.topic.name, partition: o.queue.partition, errorCode: int16(code)})
		return
	}
	h.noteFailure(o.queue, err)
	h.sendAgain(o.queue, kafka.StaleLeader(err))
}

// handleTransaction acts on a response that is about the transaction and not about the
// batch. It reports whether the response is one.
func (h *resultHandler) handleTransaction(q *partitionQueue, r *result) bool {
	if h.tx == nil {
		return false
	}
	code := kafkago.Error(r.errorCode)
	switch {
	case code == kafkago.ConcurrentTransactions:
		// Nothing of the batch is stored.
		if h.pause == 0 {
			h.pause = h.busy.Next()
		}
		q.notBefore = time.Now().Add(h.pause)
	case reasonOf(code) != "":
		h.doom(fmt.Errorf("write to topic %q, partition %d: %w", q.topic.name, q.partition, wire.ErrorOf(r.errorCode)))
	default:
		return false
	}
	h.keep(q)
	return true
}

// keep keeps a queue with the sender: its first batch needs another request.
func (h *resultHandler) keep(q *partitionQueue) {
	q.putBack()
	h.active = append(h.active, q)
}

// doom dooms the transaction of the present response. If the user may not use the
// transactional id, somebody has to act as well.
func (h *resultHandler) doom(err error) {
	code, _ := errors.AsType[kafkago.Error](err)
	reason := reasonOf(code)
	switch reason {
	case doomedForbidden:
		if !errors.Is(err, kafka.ErrNotAuthorized) {
			err = fmt.Errorf("transactional id %q: %w: allow this user the operations Write and Describe on it (%w)",
				h.tx.ID(), kafka.ErrNotAuthorized, err)
		}
		h.p.fatal.add(err)
	case "":
		reason = doomedUnknown
	}
	h.p.transactions.doom(h.tx, reason, err)
}

// reasonOf returns the reason for which a broker's code dooms a transaction; "" if it does
// not.
func reasonOf(code kafkago.Error) string {
	switch code {
	case kafkago.InvalidProducerEpoch, kafkago.ProducerFenced, kafkago.TransactionCoordinatorFenced:
		return doomedFenced
	case kafkago.OutOfOrderSequenceNumber, kafkago.UnknownProducerId:
		return doomedSequence
	case kafkago.InvalidTransactionState, kafkago.InvalidProducerIDMapping, transactionAbortable:
		return doomedAborted
	case kafkago.TransactionalIDAuthorizationFailed:
		return doomedForbidden
	}
	return ""
}
