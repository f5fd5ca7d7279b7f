package kafka

import (
	"context"
	"errors"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
)

// The age at which the known partitions of a topic are refreshed. Kafka's Java client
// has the same default (metadata.max.age.ms), so that its producers and this one
// put a key into the same partition again equally soon after a topic has grown.
const (
	defaultMetadataMaxAge = 5 * time.Minute
	// While a partition has no leader, or the cluster named fewer partitions
	// than before, it is asked again after this long.
	unsettledMetadataMaxAge = time.Second
)

// refreshTopics asks the cluster for the partitions of all topics when they are due.
func (p *Producer) refreshTopics() {
	for backoff.Sleep(p.ctx, min(unsettledMetadataMaxAge, p.metadataMaxAge)) == nil {
		for _, t := range *p.topics.Load() {
			t.retryIdle(time.Now())
			if t.outdated(time.Now()) {
				// Writing to the topic reports what is wrong.
				_, _ = t.refresh(p.ctx)
			}
		}
	}
}

// refresh asks the cluster for the topic's partitions and their leaders.
func (t *TopicWriter) refresh(ctx context.Context) ([]int32, error) {
	layout, err := t.producer.client.refreshLeaders(ctx, t.name)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	t.learn(layout.leaders, err)
	return layout.leaders, err
}

func (t *TopicWriter) outdated(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	age := t.producer.metadataMaxAge
	if t.shrink.fewer > 0 || t.shrink.to > 0 {
		age = min(age, unsettledMetadataMaxAge)
	}
	for _, q := range t.layout.Load().queues {
		if q.leaderless {
			age = min(age, unsettledMetadataMaxAge)
			break
		}
	}
	return now.Sub(t.asked) >= age
}

// learn takes the cluster's answer about the topic: the leader of each partition, or
// an error.
func (t *TopicWriter) learn(leaders []int32, err error) {
	t.mu.Lock()
	moved, waiting := t.takeOver(leaders, err)
	t.mu.Unlock()
	for _, q := range moved {
		t.producer.route(q, 0)
	}
	if len(moved) > 0 {
		t.producer.nudgeSenders()
	}
	for _, q := range waiting {
		t.producer.route(q, 0)
	}
}

// takeOver does the work of learn under mu. It returns queues that the caller has to
// route: those that got moved records and that nobody holds, and those that need not
// wait for the others any longer.
func (t *TopicWriter) takeOver(leaders []int32, err error) (moved, waiting []*partitionQueue) {
	now := time.Now()
	t.asked = now
	if err != nil {
		if errors.Is(err, ErrTopicNotFound) && t.missing.IsZero() {
			t.missing = now
		}
		return nil, nil
	}
	t.missing = time.Time{}
	t.limit.tryAgain(now, t.producer.metadataMaxAge)
	queues := t.layout.Load().queues
	switch count := len(leaders); {
	case count < len(queues):
		t.sawFewer(count, now)
	case count > len(queues):
		t.log("the topic has more partitions: keys may go to others from now on", len(queues), count)
		l := topicLayout{queues: queues}
		t.addQueues(&l, count)
		queues = l.queues
		fallthrough
	default:
		waiting = t.shrink.cancel()
	}
	changed := len(queues) != len(t.layout.Load().queues)
	for i, q := range queues {
		leaderless := i >= len(leaders) || leaders[i] < 0
		changed = changed || q.leaderless != leaderless
		q.leaderless = leaderless
	}
	if changed {
		t.replaceLayout(queues)
	}
	return t.tryShrink(), waiting
}

func (t *TopicWriter) log(message string, before, now int) {
	t.producer.log.Info(message, "topic", t.name, "partitionsBefore", before, "partitions", now)
}
