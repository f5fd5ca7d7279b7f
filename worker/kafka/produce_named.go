package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
)

// ErrTopicPending says that it is not known yet whether a topic exists: the
// cluster is being asked, or can't be.
var ErrTopicPending = errors.New("it is not known yet whether the topic exists")

const (
	// lookupPatience is how long Named waits for an answer. The usual one
	// comes in a few milliseconds.
	lookupPatience = 100 * time.Millisecond
	// A topic that was just created may be missing at some brokers: it is
	// taken to be missing when it is still so after this long.
	missingConfirmed = 500 * time.Millisecond
	// refusalMaxAge is how long a refusal of a topic counts before the cluster is
	// asked again.
	refusalMaxAge = 5 * time.Second
	// maxLookups bounds the requests about topics at a time: the names come from
	// records.
	maxLookups = 4
	// maxRefusals bounds the topics that are remembered as refused.
	maxRefusals = 1000
)

// topicLookup is a question about a topic that a record has named.
type topicLookup struct {
	asked    time.Time
	answered chan struct{}
	// refused says why the topic can't be written to, and until when that answer
	// counts. Set before answered is closed.
	refused error
	until   time.Time
}

// counts reports whether the question has no answer yet, or one that still counts.
func (l *topicLookup) counts(now time.Time) bool {
	return l != nil && (l.until.IsZero() || now.Before(l.until))
}

// Named returns the writer of a topic that a record asks for. It never waits for
// long. ErrTopicPending passes: try the record again, nothing is wrong with it.
// Other errors are about the topic: it does not exist, or this user may not write
// to it. They are remembered for a few seconds.
func (p *Producer) Named(name string) (*TopicWriter, error) {
	if t := (*p.topics.Load())[name]; t != nil {
		return t, nil
	}
	l := p.lookup(name, time.Now())
	timer := time.NewTimer(time.Until(l.asked.Add(lookupPatience)))
	defer timer.Stop()
	select {
	case <-l.answered:
	case <-timer.C:
	case <-p.ctx.Done():
		return nil, errProducerClosed
	}
	if t := (*p.topics.Load())[name]; t != nil {
		return t, nil
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if l.refused != nil {
		return nil, l.refused
	}
	return nil, fmt.Errorf("topic %q: %w", name, ErrTopicPending)
}

// lookup returns the question about a topic, and starts one if there is none that
// counts.
func (p *Producer) lookup(name string, now time.Time) *topicLookup {
	p.mu.Lock()
	defer p.mu.Unlock()
	l := p.named[name]
	if l.counts(now) {
		return l
	}
	if len(p.named) >= maxRefusals {
		for other, l := range p.named {
			if !l.until.IsZero() {
				delete(p.named, other)
			}
		}
	}
	l = &topicLookup{asked: now, answered: make(chan struct{})}
	p.named[name] = l
	if !p.closed {
		p.tasks.Go(func() { p.find(name, l) })
	}
	return l
}

// find asks the cluster about a topic until there is an answer.
func (p *Producer) find(name string, l *topicLookup) {
	var pause backoff.Backoff
	var missing time.Time
	for failed := false; ; {
		partitions, err := p.askFor(name)
		if p.ctx.Err() != nil {
			return
		}
		if err == nil {
			if failed {
				p.log.Info("found the topic", "topic", name)
			}
			_, err = p.open(name, partitions, TopicOptions{named: true})
			p.answer(name, l, err)
			return
		}
		if errors.Is(err, ErrTopicNotFound) && missing.IsZero() {
			missing = time.Now()
		}
		if refusesTopic(err) && (missing.IsZero() || time.Since(missing) >= missingConfirmed) {
			p.answer(name, l, err)
			return
		}
		if !refusesTopic(err) && !failed {
			failed = true
			p.log.Info("records wait for a topic that they are to be written to", "topic", name, "error", err.Error())
		}
		if pause.Wait(p.ctx) != nil {
			return
		}
	}
}

// askFor asks the cluster once for a topic's number of partitions.
func (p *Producer) askFor(name string) (int32, error) {
	if err := p.lookups.Acquire(p.ctx, 1); err != nil {
		return 0, fmt.Errorf("look up topic %q: %w", name, err)
	}
	defer p.lookups.Release(1)
	ctx, cancel := context.WithTimeout(p.ctx, RequestTimeout)
	defer cancel()
	leaders, err := p.client.topicLeaders(ctx, name)
	return int32(len(leaders)), err
}

// answer ends a question; without err there is a writer now.
func (p *Producer) answer(name string, l *topicLookup, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil {
		delete(p.named, name)
	} else {
		l.refused, l.until = err, time.Now().Add(refusalMaxAge)
	}
	close(l.answered)
}

// refusesTopic reports whether an error is about the topic: waiting alone does
// not change it.
func refusesTopic(err error) bool {
	return errors.Is(err, ErrTopicNotFound) || errors.Is(err, kafkago.TopicAuthorizationFailed) ||
		errors.Is(err, kafkago.InvalidTopic)
}
