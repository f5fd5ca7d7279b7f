package kafka

import (
	"errors"
	"fmt"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
)

// route finds the leader of a queue's partition, after a pause, and hands the
// queue to its sender. The caller holds the queue and gives it up.
func (p *Producer) route(q *partitionQueue, pause time.Duration) {
	p.start(func() {
		if backoff.Sleep(p.ctx, pause) != nil {
			return
		}
		for !p.tryRoute(q) {
			if q.lookup.Wait(p.ctx) != nil {
				return
			}
		}
	})
}

// tryRoute reports whether the caller has passed the queue on, or left it without a
// holder.
func (p *Producer) tryRoute(q *partitionQueue) bool {
	broker, err := p.leaderOf(q)
	p.tries.Add(1)
	switch {
	case err == nil:
		p.hand(q, broker)
		return true
	case p.ctx.Err() != nil || q.topic.park(q):
		return true
	}
	if failure := q.topic.lost(err); failure != nil {
		p.failQueue(q, failure)
		return true
	}
	q.topic.setFailing(q, true)
	p.lookupFailed(q.topic, err)
	// Other errors say nothing of this partition alone.
	return errors.Is(err, kafkago.LeaderNotAvailable) && p.divert(q)
}

// leaderOf returns the broker that leads a queue's partition. What the cluster
// answers is made known to the topic's writer.
func (p *Producer) leaderOf(q *partitionQueue) (int32, error) {
	if l, ok := p.client.leaders.lookup(q.topic.name, q.partition); ok {
		return l.Broker, nil
	}
	leaders, err := q.topic.refresh(p.ctx)
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

// lost returns the error that the records of an isolated topic fail with if the
// cluster refuses them.
func (t *TopicWriter) lost(err error) error {
	if !t.isolated {
		return nil
	}
	if errors.Is(err, ErrNotAuthorized) {
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

func (p *Producer) hand(q *partitionQueue, broker int32) {
	q.lookup.Reset()
	if q.topic.lookups.end() {
		p.log.Info("found the leaders again", "topic", q.topic.name)
	}
	if q.trouble.since.IsZero() {
		q.topic.setFailing(q, false) // it was the leader that was missing
	}
	s := p.senderOf(broker)
	q.mu.Lock()
	q.sender = s
	q.mu.Unlock()
	s.add(q, time.Time{})
}

func (p *Producer) lookupFailed(t *TopicWriter, err error) {
	if errors.Is(err, ErrNotAuthorized) || !Retriable(err) {
		p.fatal(err)
		return
	}
	if t.lookups.failed(err) {
		p.log.Info("records wait for a leader to be found", "topic", t.name, "error", err.Error())
	}
}

// streak is a row of failures of something that several goroutines attempt. It
// serves to log a failure once for as long as it stays the same.
type streak struct {
	mu   sync.Mutex
	kind string // of the last failure; "" after a success; guarded by mu
}

// failed reports whether err is news.
func (s *streak) failed(err error) bool {
	kind := failureKind(err)
	s.mu.Lock()
	defer s.mu.Unlock()
	news := s.kind != kind
	s.kind = kind
	return news
}

// end reports whether there was a failure.
func (s *streak) end() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	failed := s.kind != ""
	s.kind = ""
	return failed
}
