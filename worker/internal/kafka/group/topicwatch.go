package group

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/internal/signal"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// topicWatchInterval is how often the group's leader checks whether a topic has
// more partitions.
const topicWatchInterval = 5 * time.Second

// topicWatch makes the member join again when the topics have other partitions
// than those that were assigned. This is the task of the group's leader. A static
// member may lead without knowing: a coordinator that takes it back in the middle
// of a generation does not tell it. So static members watch too, and compare with
// the partitions at the time they came back. A rejoin without need does no harm.
type topicWatch struct {
	client   *kafka.Client
	topic    string
	static   bool // the member has an instance id
	state    *state
	log      logr.Logger
	interval time.Duration
	applied  signal.Signal // holds a token when there is a new assignment

	// mu is taken before the state's.
	mu     sync.Mutex
	counts map[string]int32 // partitions by topic, as last seen by a member that watches; guarded by mu
}

func newTopicWatch(c *kafka.Client, topic string, static bool, state *state, log logr.Logger) *topicWatch {
	return &topicWatch{
		client: c, topic: topic, static: static, state: state, log: log,
		interval: topicWatchInterval, applied: signal.New(),
	}
}

// awaitTopic returns when the cluster knows the topic. A topic that is missing at
// the start is an error: its name is more likely misspelt than about to be created.
func (w *topicWatch) awaitTopic(ctx context.Context) error {
	var pause backoff.Backoff
	for {
		_, err := w.client.Partitions(ctx, w.topic)
		switch {
		case err == nil || ctx.Err() != nil:
			return nil
		case errors.Is(err, kafka.ErrTopicNotFound) || !kafka.Retriable(err):
			return err
		}
		w.log.Info("could not look up the topic; trying again", "error", err.Error())
		_ = pause.Wait(ctx) // after ctx, the look-up fails
	}
}

// run watches the topics until ctx is done.
func (w *topicWatch) run(ctx context.Context) {
	tick := time.NewTicker(w.interval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-w.applied:
		}
		if w.changed(ctx) {
			w.state.rejoin.Notify()
		}
	}
}

// assignmentApplied makes a static member look at the topics now, so that it
// compares later counts with those of this assignment.
func (w *topicWatch) assignmentApplied() { w.applied.Notify() }

// changed reports whether the topics have other partitions than before.
func (w *topicWatch) changed(ctx context.Context) bool {
	if !w.state.leads() && !(w.static && w.state.hasAssignment()) {
		return false
	}
	before := w.known()
	topics := []string{w.topic}
	if before != nil {
		topics = slices.Sorted(maps.Keys(before))
	}
	now, err := w.ask(ctx, topics)
	if err != nil {
		if ctx.Err() == nil {
			w.log.V(1).Info("could not look for new partitions", "error", err.Error())
		}
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	changed := w.counts != nil && maps.Equal(w.counts, before) && !maps.Equal(now, before)
	if !w.state.leads() {
		w.counts = now
	}
	return changed
}

// known returns the counts to compare with; nil before there are any.
func (w *topicWatch) known() map[string]int32 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.counts
}

// learnCounts returns the topics' partitions and keeps the counts for comparison.
func (w *topicWatch) learnCounts(ctx context.Context, topics []string) (map[string]int32, error) {
	counts, err := w.ask(ctx, topics)
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.counts = counts
	return counts, nil
}

// ask asks the cluster for the topics' partitions; missing topics have none.
func (w *topicWatch) ask(ctx context.Context, topics []string) (map[string]int32, error) {
	counts := make(map[string]int32, len(topics))
	for _, t := range topics {
		n, err := w.client.Partitions(ctx, t)
		if err != nil && !errors.Is(err, kafka.ErrTopicNotFound) {
			return nil, err
		}
		counts[t] = n
	}
	return counts, nil
}
