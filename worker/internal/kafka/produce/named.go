package produce

import (
	"context"
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/internal/kafka/trouble"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// ErrTopicPending says that the Producer does not know yet whether a topic exists: the
// cluster has not answered.
var ErrTopicPending = errors.New("it is not known yet whether the topic exists")

const (
	// lookupPatience is how long Named waits for an answer, which usually comes in a
	// few milliseconds.
	lookupPatience = 100 * time.Millisecond
	// A topic that was just created may be missing at some brokers. It counts as
	// missing after this long.
	missingConfirmed = 500 * time.Millisecond
	// refusalMaxAge is how long a refusal of a topic counts before the cluster is
	// asked again.
	refusalMaxAge = 5 * time.Second
	// maxLookups bounds the requests about topics at a time: the names come from
	// records.
	maxLookups = 4
	// maxRefusals bounds the refused topics that a Producer remembers.
	maxRefusals = 1000
)

// topicLookup is the look-up of a topic that a record has named.
type topicLookup struct {
	asked    time.Time
	answered chan struct{}
	// refused is the error of a topic that can't be written to, and until the time up
	// to which it counts. They are set before answered is closed.
	refused error
	until   time.Time
}

// counts reports whether the look-up has no answer yet, or one that still counts.
func (l *topicLookup) counts(now time.Time) bool {
	return l != nil && (l.until.IsZero() || now.Before(l.until))
}

// byName does the work of Producer.Named.
func (d *topicDirectory) byName(name string) (*TopicWriter, error) {
	if t := (*d.writers.Load())[name]; t != nil {
		return t, nil
	}
	l := d.lookUp(name, time.Now())
	timer := time.NewTimer(time.Until(l.asked.Add(lookupPatience)))
	defer timer.Stop()
	select {
	case <-l.answered:
	case <-timer.C:
	case <-d.p.tasks.ctx.Done():
		return nil, errProducerClosed
	}
	if t := (*d.writers.Load())[name]; t != nil {
		return t, nil
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if l.refused != nil {
		return nil, l.refused
	}
	return nil, fmt.Errorf("topic %q: %w", name, ErrTopicPending)
}

// lookUp returns the look-up of a topic, and starts one if there is none that counts.
func (d *topicDirectory) lookUp(name string, now time.Time) *topicLookup {
	d.mu.Lock()
	defer d.mu.Unlock()
	l := d.unknown[name]
	if l.counts(now) {
		return l
	}
	if len(d.unknown) >= maxRefusals {
		for other, l := range d.unknown {
			if !l.until.IsZero() {
				delete(d.unknown, other)
			}
		}
	}
	l = &topicLookup{asked: now, answered: make(chan struct{})}
	d.unknown[name] = l
	d.p.tasks.start(func() { d.find(name, l) })
	return l
}

// find asks the cluster about a topic until there is an answer.
func (d *topicDirectory) find(name string, l *topicLookup) {
	var pause backoff.Backoff
	var missing time.Time
	var failing trouble.Streak
	for {
		partitions, err := d.ask(name)
		if d.p.tasks.ctx.Err() != nil {
			return
		}
		if err == nil {
			if failing.Ended() {
				d.p.log.Info("found the topic", "topic", name)
			}
			_, err = d.open(name, partitions, TopicOptions{named: true})
			d.answer(name, l, err)
			return
		}
		if errors.Is(err, kafka.ErrTopicNotFound) && missing.IsZero() {
			missing = time.Now()
		}
		if refusesTopic(err) && (missing.IsZero() || time.Since(missing) >= missingConfirmed) {
			d.answer(name, l, err)
			return
		}
		if !refusesTopic(err) && failing.Failed("", 0) {
			d.p.log.Info("records wait for the look-up of their topic", "topic", name, "error", err.Error())
		}
		if pause.Wait(d.p.tasks.ctx) != nil {
			return
		}
	}
}

// ask asks the cluster once for a topic's number of partitions.
func (d *topicDirectory) ask(name string) (int32, error) {
	ctx := d.p.tasks.ctx
	if err := d.lookups.Acquire(ctx, 1); err != nil {
		return 0, fmt.Errorf("look up topic %q: %w", name, err)
	}
	defer d.lookups.Release(1)
	ctx, cancel := context.WithTimeout(ctx, kafka.RequestTimeout)
	defer cancel()
	leaders, err := d.p.client.TopicLeaders(ctx, name)
	return int32(len(leaders)), err
}

// answer ends a look-up; without err there is a writer now.
func (d *topicDirectory) answer(name string, l *topicLookup, err error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if err == nil {
		delete(d.unknown, name)
	} else {
		l.refused, l.until = err, time.Now().Add(refusalMaxAge)
	}
	close(l.answered)
}

// refusesTopic reports whether an error is about the topic: waiting alone does
// not change it.
func refusesTopic(err error) bool {
	return errors.Is(err, kafka.ErrTopicNotFound) || errors.Is(err, kafkago.TopicAuthorizationFailed) ||
		errors.Is(err, kafkago.InvalidTopic)
}
