package produce

import (
	"fmt"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// split makes two batches of a batch that is refused as a whole, so that after a few
// rounds only the refused records fail.
func (h *resultHandler) split(q *partitionQueue, b *batch.Builder, r *result) {
	if b.Count() == 1 {
		h.acknowledge(q, -1, b.Origins(), 0, r.recordError(""))
		h.finish(q, b)
		return
	}
	h.finish(q, b, h.p.memory.divide(b, b.Halves())...)
}

// tooLarge divides a batch that is larger than the topic allows, and lowers the limit
// of later batches.
func (h *resultHandler) tooLarge(q *partitionQueue, b *batch.Builder, r *result) {
	if b.Count() > 1 {
		q.topic.limit.refuse(b.Size())
	}
	h.split(q, b, r)
}

// refuse fails the records that the broker refuses. The others go in a new batch:
// nothing of the old one is stored.
func (h *resultHandler) refuse(q *partitionQueue, b *batch.Builder, r *result) {
	refused := make(map[int]string, len(r.refused))
	for _, rec := range r.refused {
		if rec.index >= 0 && rec.index < b.Count() {
			refused[int(rec.index)] = rec.message
		}
	}
	if len(refused) == 0 {
		// Older brokers don't name the records.
		h.split(q, b, r)
		return
	}
	for i, origin := range b.Origins() {
		if message, ok := refused[i]; ok {
			h.acknowledge(q, -1, []batch.Origin{origin}, 0, r.recordError(message))
		}
	}
	if len(refused) == int(b.Count()) {
		h.finish(q, b)
		return
	}
	parts := make([]int32, b.Count())
	for i := range refused {
		parts[i] = -1
	}
	h.finish(q, b, h.p.memory.divide(b, parts)...)
}

// recordError explains the refusal of a record.
func (r *result) recordError(message string) error {
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
