package kafka

import (
	"context"
	"fmt"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// leaderRefreshInterval is the least time between two questions about the
// leaders of one topic, however many partitions and callers have lost theirs.
const leaderRefreshInterval = 100 * time.Millisecond

// leaderCache holds who leads what, topic by topic.
type leaderCache struct {
	mu     sync.RWMutex
	topics map[string]*topicEntry // guarded by mu, entries too
}

type topicEntry struct {
	leaders []int32
	valid   bool
	asked   time.Time
	// asking is open while a question is under way; err is its outcome.
	asking chan struct{}
	err    error
}

// leader returns the id of the broker that leads a partition. It is answered
// from memory when possible; otherwise the cluster is asked, once for all who
// wait for the same topic. A partition without a leader is LeaderNotAvailable,
// which is retriable.
func (c *Client) leader(ctx context.Context, topic string, partition int32) (int32, error) {
	if id, ok := c.leaders.lookup(topic, partition); ok {
		return id, nil
	}
	leaders, err := c.refreshLeaders(ctx, topic)
	if err != nil {
		return -1, err
	}
	switch {
	case int(partition) >= len(leaders) || partition < 0:
		return -1, fmt.Errorf("partition %d of topic %q, which has %d partitions: %w",
			partition, topic, len(leaders), kafkago.UnknownTopicOrPartition)
	case leaders[partition] < 0:
		return -1, fmt.Errorf("partition %d of topic %q: %w", partition, topic, kafkago.LeaderNotAvailable)
	}
	return leaders[partition], nil
}

// Leader is the broker that leads a partition, or why there is none.
type Leader struct {
	Broker int32
	Err    error
}

// LeadersOf returns who leads each of the partitions. Lookups of one topic share
// one question to the cluster, and a partition without a leader does not keep
// the others waiting for more than that.
func (c *Client) LeadersOf(ctx context.Context, topic string, partitions []int32) map[int32]Leader {
	found := make([]Leader, len(partitions))
	var lookups sync.WaitGroup
	for i, partition := range partitions {
		lookups.Go(func() { found[i].Broker, found[i].Err = c.leader(ctx, topic, partition) })
	}
	lookups.Wait()
	byPartition := make(map[int32]Leader, len(partitions))
	for i, partition := range partitions {
		byPartition[partition] = found[i]
	}
	return byPartition
}

// forgetLeaders makes the next leader of this topic ask the cluster anew. Call
// it when a broker answered that it does not lead what it was thought to lead,
// or could not be reached.
func (c *Client) forgetLeaders(topic string) {
	c.leaders.mu.Lock()
	defer c.leaders.mu.Unlock()
	if entry := c.leaders.topics[topic]; entry != nil {
		entry.valid = false
	}
}

// refreshLeaders asks the cluster for a topic's leaders, or joins a question
// that is under way. The question outlives a caller that gives up.
func (c *Client) refreshLeaders(ctx context.Context, topic string) ([]int32, error) {
	entry, asking, start := c.leaders.join(topic)
	if start {
		go c.askLeaders(context.WithoutCancel(ctx), topic, entry)
	}
	select {
	case <-asking:
	case <-ctx.Done():
		return nil, fmt.Errorf("look up the leaders of topic %q: %w", topic, ctx.Err())
	}
	c.leaders.mu.RLock()
	defer c.leaders.mu.RUnlock()
	return entry.leaders, entry.err
}

func (c *Client) askLeaders(ctx context.Context, topic string, entry *topicEntry) {
	c.leaders.mu.RLock()
	pause := time.Until(entry.asked.Add(leaderRefreshInterval))
	c.leaders.mu.RUnlock()
	err := sleep(ctx, pause)
	var leaders []int32
	if err == nil {
		leaders, err = c.topicLeaders(ctx, topic)
	}
	c.leaders.answer(entry, leaders, err)
}

// lookup returns a leader from memory.
func (l *leaderCache) lookup(topic string, partition int32) (int32, bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	entry := l.topics[topic]
	if entry == nil || !entry.valid || partition < 0 || int(partition) >= len(entry.leaders) {
		return -1, false
	}
	id := entry.leaders[partition]
	return id, id >= 0
}

// join returns the topic's entry and the channel that closes with the next
// answer; start is true for the caller that has to get it.
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

// answer ends a question.
func (l *leaderCache) answer(entry *topicEntry, leaders []int32, err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry.leaders, entry.err = leaders, err
	entry.valid, entry.asked = err == nil, time.Now()
	close(entry.asking)
	entry.asking = nil
}
