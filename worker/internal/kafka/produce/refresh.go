package produce

import (
	"context"
	"errors"
	"time"

	"github.com/millrace-dev/millrace/worker/kafka"
)

// The ages at which the Producer asks for the partitions of a topic again. Kafka's Java
// client has the same default (metadata.max.age.ms), so that after a topic has grown,
// its producers and this one put a key into the same partition again equally soon.
const (
	defaultMetadataMaxAge = 5 * time.Minute
	// The Producer asks again after this long while a partition has no leader or the
	// cluster names fewer partitions than before.
	unsettledMetadataMaxAge = time.Second
)

// refresh asks the cluster for the topic's partitions and their leaders.
func (t *TopicWriter) refresh(ctx context.Context) ([]int32, error) {
	leaders, err := t.producer.client.RefreshLeaders(ctx, t.name)
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	t.learn(leaders, err)
	return leaders, err
}

func (t *TopicWriter) outdated(now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	age := t.producer.metadataMaxAge
	if t.shrink.fewer > 0 || t.shrink.sure > 0 {
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

// learn applies the cluster's answer about the topic: the leader of each partition, or
// an error.
func (t *TopicWriter) learn(leaders []int32, err error) {
	t.mu.Lock()
	moved, waiting := t.update(leaders, err)
	t.mu.Unlock()
	for _, q := range moved {
		t.producer.router.route(q, 0)
	}
	if len(moved) > 0 {
		t.producer.senders.wakeAll()
	}
	for _, q := range waiting {
		t.producer.router.route(q, 0)
	}
}

// update does the work of learn under mu. It returns queues that the caller has to
// route: those that got moved records and that nobody holds, and those that need not
// wait for the others any longer.
func (t *TopicWriter) update(leaders []int32, err error) (moved, waiting []*partitionQueue) {
	now := time.Now()
	t.asked = now
	if err != nil {
		if errors.Is(err, kafka.ErrTopicNotFound) && t.missing.IsZero() {
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
		t.producer.flusher.progressed()
	}
	return t.tryShrink(), waiting
}

func (t *TopicWriter) log(message string, before, now int) {
	t.producer.log.Info(message, "topic", t.name, "partitionsBefore", before, "partitions", now)
}
