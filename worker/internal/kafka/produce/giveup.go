package produce

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
// for as long as Config.DeliveryTimeout.
var ErrNotDelivered = errors.New("record not delivered")

const (
	// longestRefusal bounds the time that one refusal adds to the delivery timeout, so
	// that an outage between two refusals does not count.
	longestRefusal = 2 * backoff.DefaultMax
	// hopelessAfter is how many records in a row the Producer gives up one by one
	// before the partition counts as broken, and not its records.
	hopelessAfter = 8
)

// refusals counts a partition's unexplained refusals in a row. It belongs to the
// goroutine that holds the queue.
type refusals struct {
	last    time.Time
	total   time.Duration // without anything but refusals
	givenUp int           // batches
}

func (r *refusals) add(now time.Time) {
	if !r.last.IsZero() {
		r.total += min(now.Sub(r.last), longestRefusal)
	}
	r.last = now
}

// unexplained handles a batch that the broker refuses without a known reason. Some of
// its records may be stored.
func (h *resultHandler) unexplained(q *partitionQueue, b *batch.Builder, r *result) {
	now, refused := time.Now(), &q.refusals
	refused.add(now)
	noteMaybeStored(b, r.writeError())
	h.noteFailure(q, r.writeError())
	limit := h.p.deliveryTimeout
	// A batch of a transaction may be that of another transaction once more.
	if refused.total < limit || h.tx == nil && now.Sub(b.Since()) < limit {
		h.sendAgain(q, false)
		return
	}
	if b.Count() > 1 && refused.givenUp < hopelessAfter {
		// One record may be the reason that all are refused.
		h.finish(q, b, h.p.memory.divide(b, b.Halves())...)
		return
	}
	refused.givenUp++
	err := fmt.Errorf("topic %q, partition %d: %w within output.deliveryTimeout (%s): %w",
		q.topic.name, q.partition, ErrNotDelivered, limit, r.writeError())
	h.acknowledge(q, -1, b.Origins(), 0, err)
	if h.tx != nil {
		h.p.transactions.doom(h.tx, doomedUnknown, err)
	} else {
		h.p.ids.startOver(q)
	}
	h.finish(q, b)
}

// unsupported handles a batch whose compression the cluster does not know. If no user
// has chosen the topic's compression, as for dead letters, it changes to gzip, which all
// brokers know.
func (h *resultHandler) unsupported(q *partitionQueue, b *batch.Builder, r *result) {
	if b.Codec() == h.p.codec || b.Codec() == compress.Gzip || !b.Packed() {
		h.p.fatal.add(r.writeError())
		h.sendAgain(q, false)
		return
	}
	q.topic.codec.Store(int32(compress.Gzip))
	b.Unpack()
	h.keep(q)
}

// forbidden handles a batch that the broker refuses until somebody changes the cluster.
// If only an isolated topic is concerned, its records fail.
func (h *resultHandler) forbidden(q *partitionQueue, b *batch.Builder, r *result) {
	if q.topic.isolated && kafkago.Error(r.errorCode) == kafkago.TopicAuthorizationFailed {
		h.acknowledge(q, -1, b.Origins(), 0, r.writeError())
		h.finish(q, b)
		return
	}
	h.p.fatal.add(r.writeError())
	h.sendAgain(q, false)
}
