package kafka

import (
	"errors"
	"maps"
	"slices"

	"github.com/go-logr/logr"
	kafkago "github.com/segmentio/kafka-go"
)

// produceNews gathers what changed with an answer about partitions that can't be
// written to, so that it is logged once for as long as it stays the same, in one
// line for all that share it.
type produceNews struct {
	failed map[failure][]int32 // partitions by what happened to them
	over   map[string][]int32  // partitions that are written to again, by topic
}

type failure struct{ topic, text string }

// add notes a failure. The caller holds the queue.
func (n *produceNews) add(q *partitionQueue, err error) {
	kind := failureKind(err)
	if q.trouble == kind {
		return
	}
	q.trouble = kind
	if n.failed == nil {
		n.failed = make(map[failure][]int32)
	}
	key := failure{q.topic.name, err.Error()}
	n.failed[key] = append(n.failed[key], q.partition)
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
	q.backoff.reset()
	if q.trouble == "" {
		return
	}
	q.trouble = ""
	if n.over == nil {
		n.over = make(map[string][]int32)
	}
	n.over[q.topic.name] = append(n.over[q.topic.name], q.partition)
}

func (n *produceNews) log(log logr.Logger, broker int32) {
	for key, partitions := range n.failed {
		log.Info("records can't be written, will be retried",
			"topic", key.topic, "partitions", partitions, "broker", broker, "error", key.text)
	}
	for _, topic := range slices.Sorted(maps.Keys(n.over)) {
		log.Info("records are written again", "topic", topic, "partitions", n.over[topic])
	}
}
