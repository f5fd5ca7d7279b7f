package kafka

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go/compress"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
)

// TopicWriter writes to one topic of its Producer. It is safe for concurrent
// use.
type TopicWriter struct {
	producer *Producer
	name     string
	// isolated topics fail their records where others end the worker: when
	// this user may not write to them.
	isolated bool
	// named topics are isolated ones that a record asked for. Their records
	// fail too if the topic is deleted and stays away.
	named   bool
	codec   atomic.Int32 // a compress.Compression
	lookups streak       // of failures to find leaders
	limit   batchLimit

	layout atomic.Pointer[topicLayout] // replaced under mu
	mu     sync.Mutex
	shrink shrinking // guarded by mu
	asked  time.Time // when the cluster last named the partitions; guarded by mu
	// diverted counts the batches that were moved to other partitions. Guarded by mu.
	diverted uint32
	// missing is the time since which the cluster has said that there is no such
	// topic; zero while it names the topic. Guarded by mu.
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

// Append queues m for a partition and copies it: m and its bytes are the
// caller's again. It returns an error, and queues nothing, if m can't be a
// record of Kafka's or is ErrTooLarge. It waits while the Producer's memory is
// used up; if ctx or the Producer ends first, the error is ctx's or a
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
		if sig.activated || sig.nudge {
			q.follow(sig)
		}
		if err == nil || !errors.Is(err, errMoved) {
			return err
		}
		// The topic has fewer partitions now.
	}
}

// appendLater is Append when missing bytes of the budget are free.
func (t *TopicWriter) appendLater(ctx context.Context, to Placement, m *batch.Message, o batch.Origin, missing int64) error {
	p := t.producer
	for {
		if err := p.await(ctx, missing); err != nil {
			return err
		}
		var sig followUp
		var err error
		credit := missing
		q := t.layout.Load().queue(to, m.Key)
		q.mu.Lock()
		sig, missing, err = q.add(m, o, &credit)
		q.mu.Unlock()
		if errors.Is(err, errMoved) {
			missing = credit
		}
		// Others may have made room, or taken it.
		p.giveBack(credit)
		if missing == 0 {
			q.follow(sig)
			return err
		}
	}
}

// follow tells whoever has to know what an append has changed.
func (q *partitionQueue) follow(sig followUp) {
	switch {
	case sig.activated && sig.sender == nil:
		q.topic.producer.route(q, 0)
	case sig.activated:
		if sig.nudge {
			sig.due = time.Time{}
		}
		sig.sender.add(q, sig.due)
	case sig.nudge && sig.sender != nil:
		sig.sender.nudged.Notify()
	}
}
