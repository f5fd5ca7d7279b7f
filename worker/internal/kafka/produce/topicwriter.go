package produce

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go/compress"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/trouble"
)

// TopicWriter writes to one topic of its Producer. It is safe for concurrent
// use.
type TopicWriter struct {
	producer *Producer
	name     string
	// isolated topics fail their records if this user may not write to them; other
	// topics end the worker.
	isolated bool
	// named topics are isolated topics that a record has named. Their records also
	// fail if the topic is deleted and stays away.
	named   bool
	codec   atomic.Int32         // a compress.Compression
	lookups trouble.SharedStreak // of failures to find leaders
	limit   batchLimit

	layout atomic.Pointer[topicLayout] // replaced under mu
	mu     sync.Mutex
	shrink shrinking // guarded by mu
	asked  time.Time // of the cluster's last answer; guarded by mu
	// diverted counts the batches that were moved to other partitions. Guarded by mu.
	diverted uint32
	// missing is the time of the first answer that there is no such topic; zero while
	// the cluster names the topic. Guarded by mu.
	missing time.Time
}

func newTopicWriter(p *Producer, name string, partitions int32, o TopicOptions) *TopicWriter {
	t := &TopicWriter{producer: p, name: name, isolated: o.Isolated || o.named, named: o.named}
	codec := p.codec
	if o.Compression != "" {
		codec = batch.CodecOf(o.Compression)
	}
	t.codec.Store(int32(codec))
	t.asked = time.Now()
	l := &topicLayout{}
	t.addQueues(l, int(partitions))
	t.layout.Store(l)
	return t
}

func (t *TopicWriter) compression() compress.Compression {
	return compress.Compression(t.codec.Load())
}

// Append copies m into the queue of a partition: the caller may change m and its bytes
// afterwards. It returns an error, and queues nothing, if Kafka does not allow m as a
// record or m is too large (ErrTooLarge). It waits while the Producer's memory is used
// up; if ctx or the Producer ends first, it returns ctx's error or a
// context.Canceled.
func (t *TopicWriter) Append(ctx context.Context, to Placement, m *batch.Message, o batch.Origin) error {
	var credit int64
	o.Anywhere = to.kind == anywhere
	for {
		q := t.layout.Load().queue(to, m.Key)
		q.mu.Lock()
		sig, missing, err := q.add(m, o, &credit)
		q.mu.Unlock()
		if missing > 0 {
			return t.appendLater(ctx, to, m, o, missing)
		}
		if sig.activated || sig.wake {
			q.follow(sig)
		}
		if err == nil || !errors.Is(err, errMoved) {
			return err
		}
		// The topic has fewer partitions now.
	}
}

// appendLater does the work of Append after missing bytes of the budget are free.
func (t *TopicWriter) appendLater(ctx context.Context, to Placement, m *batch.Message, o batch.Origin, missing int64) error {
	memory := &t.producer.memory
	for {
		credit := missing
		if err := memory.await(ctx, missing); errors.Is(err, errUnbounded) {
			credit = 0
		} else if err != nil {
			return err
		}
		q := t.layout.Load().queue(to, m.Key)
		q.mu.Lock()
		sig, more, err := q.add(m, o, &credit)
		q.mu.Unlock()
		// Others may have made room, or taken it.
		memory.giveBack(credit)
		switch {
		case errors.Is(err, errMoved): // the topic has fewer partitions now
		case more > 0:
			missing = more
		default:
			q.follow(sig)
			return err
		}
	}
}

// follow hands the queue to a sender, or wakes its sender, as an append requires.
func (q *partitionQueue) follow(sig followUp) {
	switch {
	case sig.activated && sig.sender == nil:
		q.topic.producer.router.route(q, 0)
	case sig.activated:
		if sig.wake {
			sig.due = time.Time{}
		}
		sig.sender.add(q, sig.due)
	case sig.wake && sig.sender != nil:
		sig.sender.wake.Notify()
	}
}
