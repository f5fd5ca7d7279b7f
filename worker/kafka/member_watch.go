package kafka

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"
)

// topicWatchInterval is how often the group's leader looks whether a topic has
// got more partitions.
const topicWatchInterval = 5 * time.Second

// watchTopics makes the member join again when the topics have other partitions
// than those that were assigned. It is for the group's leader to do, but a
// static member may lead without knowing, since a coordinator that takes it back
// in the middle of a generation does not say so: it compares with what it found
// when it came back. A rejoin that was not needed does no harm.
func (m *Member) watchTopics(ctx context.Context) {
	tick := time.NewTicker(m.watchInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		case <-m.applied:
		}
		if m.topicsChanged(ctx) {
			m.rejoin.Notify()
		}
	}
}

func (m *Member) topicsChanged(ctx context.Context) bool {
	m.mu.Lock()
	watches := m.joined && (m.leader || m.cfg.InstanceID != "")
	before := m.counts
	m.mu.Unlock()
	if !watches {
		return false
	}
	topics := []string{m.cfg.Topic}
	if before != nil {
		topics = slices.Sorted(maps.Keys(before))
	}
	now, err := m.partitionCounts(ctx, topics)
	if err != nil {
		if ctx.Err() == nil {
			m.log.V(1).Info("could not look for new partitions", "error", err.Error())
		}
		return false
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	changed := m.counts != nil && maps.Equal(m.counts, before) && !maps.Equal(now, before)
	if !m.leader {
		m.counts = now
	}
	return changed
}

// partitionCounts asks for the topics' partitions; topics that don't exist have
// none.
func (m *Member) partitionCounts(ctx context.Context, topics []string) (map[string]int32, error) {
	counts := make(map[string]int32, len(topics))
	for _, t := range topics {
		n, err := m.c.Partitions(ctx, t)
		if err != nil && !errors.Is(err, ErrTopicNotFound) {
			return nil, err
		}
		counts[t] = n
	}
	return counts, nil
}
