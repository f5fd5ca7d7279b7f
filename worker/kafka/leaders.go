package kafka

import (
	"context"
	"fmt"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
)

// leaderRefreshInterval is the shortest time between two look-ups of a topic's leaders,
// whatever the number of partitions and callers without a leader.
const leaderRefreshInterval = 100 * time.Millisecond

// leaderCache finds the leaders of partitions and keeps them, by topic.
type leaderCache struct {
	// find asks the cluster for the leaders of a topic's partitions.
	find func(ctx context.Context, topic string) (leaderLayout, error)

	mu     sync.RWMutex
	topics map[string]*topicEntry // guarded by mu, entries too
}

type topicEntry struct {
	layout leaderLayout
	// former are the ids of topics that had this name before: a broker that answers
	// with one of them has not heard of the present topic yet.
	former map[TopicID]bool
	valid  bool
	asked  time.Time
	// asking is open while a question is under way; err is its outcome.
	asking chan struct{}
	err    error
}

// leaderLayout holds the leaders of a topic's partitions.
type leaderLayout struct {
	id      TopicID
	leaders []int32 // by partition, -1 where there is none
	epochs  []int32 // of the leaders, -1 where it is unknown
}

// leader returns the id of the broker that leads a partition; see leadership.
func (l *leaderCache) leader(ctx context.Context, topic string, partition int32) (int32, error) {
	found := l.leadership(ctx, topic, partition)
	return found.Broker, found.Err
}

// leadership returns the leader of a partition, from memory when possible.
// Otherwise it asks the cluster, once for all calls that wait for the same topic.
// A partition without a leader is LeaderNotAvailable, which is retriable.
func (l *leaderCache) leadership(ctx context.Context, topic string, partition int32) Leader {
	if known, ok := l.lookup(topic, partition); ok {
		return known
	}
	layout, err := l.refresh(ctx, topic)
	found := Leader{Broker: -1, Epoch: -1, TopicID: layout.id}
	switch {
	case err != nil:
		found.Err = err
	case int(partition) >= len(layout.leaders) || partition < 0:
		found.Err = fmt.Errorf("partition %d of topic %q, which has %d partitions: %w",
			partition, topic, len(layout.leaders), kafkago.UnknownTopicOrPartition)
	case layout.leaders[partition] < 0:
		found.Err = fmt.Errorf("partition %d of topic %q: %w", partition, topic, kafkago.LeaderNotAvailable)
	default:
		found.Broker, found.Epoch = layout.leaders[partition], layout.epochs[partition]
	}
	return found
}

// Leader is the broker that leads a partition, or the reason why there is none.
type Leader struct {
	Broker int32
	Epoch  int32 // of the leader; -1 is unknown
	// TopicID is known without a leader too.
	TopicID TopicID
	Err     error
}

// TopicID returns the id of a topic, from memory when possible; zero is unknown.
func (c *Client) TopicID(ctx context.Context, topic string) (TopicID, error) {
	if l, ok := c.leaders.lookup(topic, 0); ok {
		return l.TopicID, nil
	}
	layout, err := c.leaders.refresh(ctx, topic)
	return layout.id, err
}

// LeadersOf returns the leader of each partition. Lookups of one topic share one
// request, and a partition without a leader does not delay the others.
func (c *Client) LeadersOf(ctx context.Context, topic string, partitions []int32) map[int32]Leader {
	found := make([]Leader, len(partitions))
	var lookups sync.WaitGroup
	for i, partition := range partitions {
		lookups.Go(func() { found[i] = c.leaders.leadership(ctx, topic, partition) })
	}
	lookups.Wait()
	byPartition := make(map[int32]Leader, len(partitions))
	for i, partition := range partitions {
		byPartition[partition] = found[i]
	}
	return byPartition
}

// ForgetLeaders makes the next look-up of a topic's leaders ask the cluster again. Call
// it when a broker can't be reached, or answers that it does not lead a partition.
func (c *Client) ForgetLeaders(topic string) {
	c.leaders.mu.Lock()
	defer c.leaders.mu.Unlock()
	if entry := c.leaders.topics[topic]; entry != nil {
		entry.valid = false
	}
}

// CachedLeader returns the leader of a partition if the client knows it.
func (c *Client) CachedLeader(topic string, partition int32) (Leader, bool) {
	return c.leaders.lookup(topic, partition)
}

// RefreshLeaders asks the cluster for the leaders of a topic's partitions, or waits for
// the look-up under way. A leader of -1 is none.
func (c *Client) RefreshLeaders(ctx context.Context, topic string) ([]int32, error) {
	layout, err := c.leaders.refresh(ctx, topic)
	return layout.leaders, err
}

// refresh asks the cluster for a topic's leaders, or waits for the look-up under way. A
// look-up continues if its caller gives up.
func (l *leaderCache) refresh(ctx context.Context, topic string) (leaderLayout, error) {
	entry, asking, start := l.join(topic)
	if start {
		go l.ask(context.WithoutCancel(ctx), topic, entry)
	}
	select {
	case <-asking:
	case <-ctx.Done():
		return leaderLayout{}, fmt.Errorf("look up the leaders of topic %q: %w", topic, ctx.Err())
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if entry.err != nil {
		return leaderLayout{id: entry.layout.id}, entry.err
	}
	return entry.layout, nil
}

func (l *leaderCache) ask(ctx context.Context, topic string, entry *topicEntry) {
	l.mu.RLock()
	pause := time.Until(entry.asked.Add(leaderRefreshInterval))
	l.mu.RUnlock()
	err := backoff.Sleep(ctx, pause)
	var layout leaderLayout
	if err == nil {
		layout, err = l.find(ctx, topic)
	}
	l.answer(entry, topic, layout, err)
}

// lookup returns a leader from memory.
func (l *leaderCache) lookup(topic string, partition int32) (Leader, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	entry := l.topics[topic]
	if entry == nil || !entry.valid || partition < 0 || int(partition) >= len(entry.layout.leaders) {
		return Leader{}, false
	}
	id := entry.layout.leaders[partition]
	return Leader{Broker: id, Epoch: entry.layout.epochs[partition], TopicID: entry.layout.id}, id >= 0
}

// join returns the topic's entry, and the channel that closes when the look-up ends.
// start is true for the caller that has to start it.
func (l *leaderCache) join(topic string) (entry *topicEntry, asking chan struct{}, start bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.topics == nil {
		l.topics = make(map[string]*topicEntry)
	}
	entry = l.topics[topic]
	if entry == nil {
		entry = &topicEntry{}
		l.topics[topic] = entry
	}
	if entry.asking == nil {
		entry.asking, start = make(chan struct{}), true
	}
	return entry, entry.asking, start
}

// answer ends a look-up.
func (l *leaderCache) answer(entry *topicEntry, topic string, layout leaderLayout, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err == nil && entry.former[layout.id] {
		err = fmt.Errorf("topic %q: the broker has not heard yet that it was created again: %w", topic, kafkago.UnknownTopicOrPartition)
	}
	entry.valid, entry.asked, entry.err = err == nil, time.Now(), err
	if err == nil {
		if last := entry.layout.id; last != (TopicID{}) && layout.id != (TopicID{}) && last != layout.id {
			if entry.former == nil {
				entry.former = make(map[TopicID]bool)
			}
			entry.former[last] = true
		}
		entry.layout = layout
	}
	close(entry.asking)
	entry.asking = nil
}
