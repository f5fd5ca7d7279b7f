package kafka

import (
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/go-logr/logr"
	kafkago "github.com/segmentio/kafka-go"
)

// produceNews gathers what changed with an answer about partitions that can't be
// written to, so that it is logged once, and then now and then with its age, for
// as long as it stays the same; in one line for all that share it.
type produceNews struct {
	failed map[failure][]int32 // partitions by what happened to them
	over   map[string][]int32  // partitions that are written to again, by topic
}

type failure struct {
	topic, text string
	age         time.Duration // since the first of the row
}

// add notes a failure. The caller holds the queue.
func (n *produceNews) add(q *partitionQueue, err error) {
	if q.trouble.since.IsZero() {
		q.trouble.since = time.Now()
	}
	q.topic.setFailing(q, true) // each time: it may have been tried again
	if !q.trouble.news(failureKind(err)) {
		return
	}
	if n.failed == nil {
		n.failed = make(map[failure][]int32)
	}
	key := failure{q.topic.name, err.Error(), time.Since(q.trouble.since).Round(time.Second)}
	n.failed[key] = append(n.failed[key], q.partition)
}

// troubleRepeated is how often a failure that stays the same is logged again.
const troubleRepeated = 30 * time.Second

// writeTrouble is a row of failures to write a queue's first batch. It belongs to the
// goroutine that holds the queue.
type writeTrouble struct {
	kind   string    // of the last failure
	since  time.Time // the first failure; zero after a success
	logged time.Time // the last time
}

// news reports whether a failure is to be logged.
func (t *writeTrouble) news(kind string) bool {
	now := time.Now()
	if t.kind == kind && now.Sub(t.logged) < troubleRepeated {
		return false
	}
	t.kind, t.logged = kind, now
	return true
}

// failureKind is the same for errors that are one piece of news: the text of a
// broker's code, or that there was no answer, which has a text for each port
// and way that a connection can break.
func failureKind(err error) string {
	if code, ok := errors.AsType[kafkago.Error](err); ok {
		return code.Error()
	}
	return "no answer"
}

// end notes that a batch was stored. The caller holds the queue.
func (n *produceNews) end(q *partitionQueue) {
	q.backoff.Reset()
	if q.trouble.since.IsZero() {
		return
	}
	q.trouble = writeTrouble{}
	q.topic.setFailing(q, false)
	if n.over == nil {
		n.over = make(map[string][]int32)
	}
	n.over[q.topic.name] = append(n.over[q.topic.name], q.partition)
}

func (n *produceNews) log(log logr.Logger, broker int32) {
	for key, partitions := range n.failed {
		log.Info("records can't be written, will be retried",
			"topic", key.topic, "partitions", partitions, "broker", broker, "for", key.age.String(), "error", key.text)
	}
	for _, topic := range slices.Sorted(maps.Keys(n.over)) {
		log.Info("records are written again", "topic", topic, "partitions", n.over[topic])
	}
}
