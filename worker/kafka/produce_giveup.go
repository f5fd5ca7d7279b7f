package kafka

import (
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/compress"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
)

// ErrNotDelivered says that a record's partition refused it without a known reason
// for as long as ProducerConfig.DeliveryTimeout.
var ErrNotDelivered = errors.New("record not delivered")

const (
	// longestRefusal is the most that one refusal counts towards the delivery
	// timeout, so that an outage between two of them does not.
	longestRefusal = 2 * backoff.DefaultMax
	// hopelessAfter is how many records in a row are given up one by one before the
	// partition counts as broken, and not its records.
	hopelessAfter = 8
)

// refusals counts a partition's unexplained refusals in a row. It belongs to the
// goroutine that holds the queue.
type refusals struct {
	last    time.Time
	total   time.Duration // for how long there were nothing but refusals
	givenUp int           // batches
}

func (r *refusals) add(now time.Time) {
	if !r.last.IsZero() {
		r.total += min(now.Sub(r.last), longestRefusal)
	}
	r.last = now
}

// unexplained handles a batch that the broker refuses without a known reason. Some of
// its records may have been stored.
func (s *sender) unexplained(q *partitionQueue, b *batch.Builder, r *produceResult, news *produceNews) {
	now, refused := time.Now(), &q.refusals
	refused.add(now)
	noteFailure(b, r.writeError())
	news.add(q, r.writeError())
	limit := s.p.deliveryTimeout
	if refused.total < limit || now.Sub(b.Since()) < limit {
		s.sendAgain(q, false)
		return
	}
	if b.Count() > 1 && refused.givenUp < hopelessAfter {
		// The other records may be refused because of one.
		s.finish(q, b, b.Divide(b.Halves(), &s.p.builders, s.p.buffers)...)
		return
	}
	refused.givenUp++
	err := fmt.Errorf("topic %q, partition %d: %w within output.deliveryTimeout (%s): %w",
		q.topic.name, q.partition, ErrNotDelivered, limit, r.writeError())
	s.acknowledge(q, -1, b.Origins(), 0, err)
	s.p.startOver(q)
	s.finish(q, b)
}

// startOver gives a queue a new sequence under a new identity. Its first batch is
// given up, and may have been stored or not: under the old sequence the broker
// could take the next one for it.
func (p *Producer) startOver(q *partitionQueue) {
	p.ids.forget(q.producer)
	q.producer = noProducer
}

// unsupported handles a batch whose compression the cluster does not know. For a
// topic whose compression no user has chosen, such as that of dead letters, it
// changes to gzip, which all brokers know.
func (s *sender) unsupported(q *partitionQueue, b *batch.Builder, r *produceResult) {
	if b.Codec() == s.p.codec || b.Codec() == compress.Gzip || !b.Packed() {
		s.p.fatal(r.writeError())
		s.sendAgain(q, false)
		return
	}
	q.topic.codec.Store(int32(compress.Gzip))
	b.Unpack()
	s.waiting = append(s.waiting, q)
}

// forbidden handles a batch that is refused until somebody changes the cluster.
// If that concerns an isolated topic alone, its records fail.
func (s *sender) forbidden(q *partitionQueue, b *batch.Builder, r *produceResult) {
	if q.topic.isolated && kafkago.Error(r.errorCode) == kafkago.TopicAuthorizationFailed {
		s.acknowledge(q, -1, b.Origins(), 0, r.writeError())
		s.finish(q, b)
		return
	}
	s.p.fatal(r.writeError())
	s.sendAgain(q, false)
}

// failQueue fails everything that is queued for a partition. The caller holds the
// queue; when this returns, nobody does.
func (p *Producer) failQueue(q *partitionQueue, err error) {
	p.startOver(q)
	q.refusals, q.trouble = refusals{}, writeTrouble{}
	for active := true; active && p.ctx.Err() == nil; {
		b := q.take()
		p.acknowledge(&Ack{Topic: q.topic.name, Partition: q.partition, BaseOffset: -1, Origins: b.Origins(), Err: err})
		active = p.replace(q, b)
	}
}
