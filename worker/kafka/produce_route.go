package kafka

import (
	"errors"
	"sync"
	"time"
)

// route finds the leader of a queue's partition, after a pause, and hands the
// queue to its sender. The caller holds the queue and gives it up.
func (p *Producer) route(q *partitionQueue, pause time.Duration) {
	p.start(func() {
		if sleep(p.ctx, pause) != nil {
			return
		}
		for {
			broker, err := p.client.leader(p.ctx, q.topic.name, q.partition)
			p.tries.Add(1)
			if err == nil {
				p.hand(q, broker)
				return
			}
			if p.ctx.Err() != nil {
				return
			}
			p.lookupFailed(q.topic, err)
			if q.lookup.wait(p.ctx) != nil {
				return
			}
		}
	})
}

func (p *Producer) hand(q *partitionQueue, broker int32) {
	q.lookup.reset()
	if q.topic.lookups.end() {
		p.log.Info("found the leaders again", "topic", q.topic.name)
	}
	s := p.senderOf(broker)
	q.mu.Lock()
	q.sender = s
	q.mu.Unlock()
	s.add(q, time.Time{})
}

func (p *Producer) lookupFailed(t *TopicWriter, err error) {
	if errors.Is(err, ErrNotAuthorized) || !retriable(err) {
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

// failed tells whether err is news.
func (s *streak) failed(err error) bool {
	kind := failureKind(err)
	s.mu.Lock()
	defer s.mu.Unlock()
	news := s.kind != kind
	s.kind = kind
	return news
}

// end tells whether there was a failure.
func (s *streak) end() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	failed := s.kind != ""
	s.kind = ""
	return failed
}
