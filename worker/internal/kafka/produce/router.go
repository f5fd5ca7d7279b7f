package produce

import (
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// router hands the queues of partitions to the senders of their leaders.
type router struct{ p *Producer }

// route finds the leader of a queue's partition, after a pause, and hands the
// queue to its sender. The caller holds the queue and gives it up.
func (r *router) route(q *partitionQueue, pause time.Duration) {
	ctx := r.p.tasks.ctx
	r.p.tasks.start(func() {
		if backoff.Sleep(ctx, pause) != nil {
			return
		}
		for !r.tryRoute(q) {
			if q.lookup.Wait(ctx) != nil {
				return
			}
		}
	})
}

// tryRoute reports whether the caller has passed the queue on, or left it without a
// holder.
func (r *router) tryRoute(q *partitionQueue) bool {
	if q.giveUpEmpty() {
		return true
	}
	broker, err := r.leaderOf(q)
	r.p.tries.Add(1)
	switch {
	case err == nil:
		r.handTo(q, broker)
		return true
	case r.p.tasks.ctx.Err() != nil || q.topic.park(q):
		return true
	}
	if failure := q.topic.refusal(err); failure != nil {
		return r.failQueue(q, failure)
	}
	q.setStuck(true)
	q.topic.setFailing(q, true)
	r.lookupFailed(q.topic, err)
	// Other errors say nothing of this partition alone.
	return errors.Is(err, kafkago.LeaderNotAvailable) && r.divert(q)
}

// leaderOf returns the broker that leads a queue's partition. The topic's writer
// learns the cluster's answer.
func (r *router) leaderOf(q *partitionQueue) (int32, error) {
	if l, ok := r.p.client.CachedLeader(q.topic.name, q.partition); ok {
		return l.Broker, nil
	}
	leaders, err := q.topic.refresh(r.p.tasks.ctx)
	switch {
	case err != nil:
		return -1, err
	case int(q.partition) >= len(leaders):
		return -1, fmt.Errorf("partition %d of topic %q, which has %d partitions: %w",
			q.partition, q.topic.name, len(leaders), kafkago.UnknownTopicOrPartition)
	case leaders[q.partition] < 0:
		return -1, fmt.Errorf("partition %d of topic %q: %w", q.partition, q.topic.name, kafkago.LeaderNotAvailable)
	}
	return leaders[q.partition], nil
}

// handTo hands a queue to the sender of a broker.
func (r *router) handTo(q *partitionQueue, broker int32) {
	q.lookup.Reset()
	if q.topic.lookups.Ended() {
		r.p.log.Info("found the leaders again", "topic", q.topic.name)
	}
	if !q.failures.Failing() {
		q.setStuck(false)
		q.topic.setFailing(q, false) // only its leader was missing
	}
	s := r.p.senders.of(broker)
	q.mu.Lock()
	q.sender = s
	q.mu.Unlock()
	s.add(q, time.Time{})
}

func (r *router) lookupFailed(t *TopicWriter, err error) {
	if errors.Is(err, kafka.ErrNotAuthorized) || !kafka.Retriable(err) {
		r.p.fatal.add(err)
		return
	}
	if t.lookups.Failed(failureKind(err), 0) {
		r.p.log.Info("records wait for a leader to be found", "topic", t.name, "error", err.Error())
	}
}

// failQueue fails all records that are queued for a partition. The caller holds the
// queue; if failQueue returns true, nobody does. It returns false if the records are to
// be dropped, since one of them may be part of a transaction.
func (r *router) failQueue(q *partitionQueue, err error) bool {
	ts := &r.p.transactions
	ts.working.RLock()
	defer ts.working.RUnlock()
	if q.giveUpEmpty() {
		return true
	}
	switch {
	case !ts.enabled():
		r.p.ids.startOver(q)
	case q.firstMaybeStored():
		ts.doom(ts.current.Load(), doomedUnknown, err)
		return false
	}
	q.refusals = refusals{}
	q.failures.Ended()
	for active := true; active && r.p.tasks.ctx.Err() == nil; {
		b := q.takeAny()
		r.p.outcomes.acknowledge(&Ack{Topic: q.topic.name, Partition: q.partition, BaseOffset: -1, Origins: b.Origins(), Err: err})
		active = r.p.outcomes.replace(q, b)
	}
	return true
}

// refusal returns the error that the records of an isolated topic fail with if the
// cluster refuses the topic; nil if they wait.
func (t *TopicWriter) refusal(err error) error {
	if !t.isolated {
		return nil
	}
	if errors.Is(err, kafka.ErrNotAuthorized) {
		return err
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	patience := t.producer.deliveryTimeout
	if t.named && !t.missing.IsZero() && time.Since(t.missing) >= patience {
		return fmt.Errorf("%w for output.deliveryTimeout (%s): %w", ErrNotDelivered, patience, err)
	}
	return nil
}

// failureKind returns the same text for errors to log as one: the text of a broker's
// code, or "no answer". Without a response, the error's text differs with the port and
// the way that the connection broke.
func failureKind(err error) string {
	if code, ok := errors.AsType[kafkago.Error](err); ok {
		return code.Error()
	}
	return "no answer"
}
