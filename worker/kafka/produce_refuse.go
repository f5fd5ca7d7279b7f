package kafka

import (
	"fmt"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// split makes two batches of one that is refused as a whole, so that after a few
// rounds only those records fail that have to.
func (s *sender) split(q *partitionQueue, b *batch.Builder, r *produceResult) {
	if b.Count() == 1 {
		s.acknowledge(q, -1, b.Origins(), 0, r.recordError(""))
		s.finish(q, b)
		return
	}
	s.finish(q, b, b.Divide(b.Halves(), &s.p.builders, s.p.buffers)...)
}

// tooLarge divides a batch that is larger than the topic takes. Later ones are
// gathered to the size that this teaches.
func (s *sender) tooLarge(q *partitionQueue, b *batch.Builder, r *produceResult) {
	if b.Count() > 1 {
		q.topic.limit.refuse(b.Size())
	}
	s.split(q, b, r)
}

// refuse fails the records that the broker will not store. The others are sent
// in a new batch: nothing of the old one was stored.
func (s *sender) refuse(q *partitionQueue, b *batch.Builder, r *produceResult) {
	refused := make(map[int]string, len(r.refused))
	for _, rec := range r.refused {
		if rec.index >= 0 && rec.index < b.Count() {
			refused[int(rec.index)] = rec.message
		}
	}
	if len(refused) == 0 {
		// Older brokers don't say which records they mean.
		s.split(q, b, r)
		return
	}
	for i, origin := range b.Origins() {
		if message, ok := refused[i]; ok {
			s.acknowledge(q, -1, []batch.Origin{origin}, 0, r.recordError(message))
		}
	}
	if len(refused) == int(b.Count()) {
		s.finish(q, b)
		return
	}
	parts := make([]int32, b.Count())
	for i := range refused {
		parts[i] = -1
	}
	s.finish(q, b, b.Divide(parts, &s.p.builders, s.p.buffers)...)
}

// recordError explains why a record can't be written.
func (r *produceResult) recordError(message string) error {
	err := wire.ErrorOf(r.errorCode)
	if message == "" {
		message = r.message
	}
	if message != "" {
		err = fmt.Errorf("%w: %s", err, message)
	}
	switch kafkago.Error(r.errorCode) {
	case kafkago.MessageSizeTooLarge, kafkago.RecordListTooLarge:
		return fmt.Errorf("topic %q, partition %d: %w: it exceeds the topic's max.message.bytes (%w)", r.topic, r.partition, ErrTooLarge, err)
	default:
		return fmt.Errorf("topic %q, partition %d: %w: %w", r.topic, r.partition, ErrInvalidRecord, err)
	}
}
