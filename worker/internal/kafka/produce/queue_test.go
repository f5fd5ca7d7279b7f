package produce

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch/batchtest"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// idleQueue is a queue that nothing takes from.
func idleQueue(maxBatchBytes int) *partitionQueue {
	p := New(&kafka.Client{}, Config{MaxBatchBytes: maxBatchBytes})
	return newTopicWriter(p, "orders", 1, TopicOptions{}).layout.Load().queues[0]
}

func (q *partitionQueue) mustAdd(t *testing.T, m *batch.Message) {
	t.Helper()
	var credit int64
	if _, missing, err := q.add(m, batch.Origin{}, &credit); missing > 0 || err != nil {
		t.Fatalf("missing %d, %v", missing, err)
	}
}

// Only a batch of a single record that has no place in any other is larger.
func TestBatchesNeverExceedTheirLimit(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for range 20 {
		limit := 200 + random.IntN(20_000)
		q := idleQueue(limit)
		var sent []batch.Message
		for range 300 {
			m := batchtest.RandomMessage[batch.Message](random)
			var credit int64
			if _, missing, err := q.add(&m, batch.Origin{}, &credit); missing != 0 || err != nil {
				t.Fatalf("seed %d: missing %d, %v for a batch of %d bytes of %d", seed, missing, err, batch.SizeAlone(&m), limit)
			}
			sent = append(sent, m)
		}
		q.seal()
		for i, b := range q.sealed {
			b.Finish(batch.Identity{}, 0)
			if len(b.Encoded()) > limit && b.Count() > 1 {
				t.Fatalf("seed %d: a batch of %d bytes where %d are allowed", seed, len(b.Encoded()), limit)
			}
			decoded, records := batchtest.Decoded(t, b.Encoded())
			for k := range records {
				if err := batchtest.SameMessage(&sent[k], decoded.FirstTimestamp, k, records[k]); err != nil {
					t.Fatalf("seed %d: record %d of batch %d: %v", seed, k, i, err)
				}
			}
			// The next record had no place in it any more.
			if sent = sent[len(records):]; len(sent) > 0 {
				next := b.Measure(&sent[0])
				if b.Size()+next.Size() <= limit {
					t.Fatalf("seed %d: batch %d ended at %d of %d bytes before a record of %d", seed, i, b.Size(), limit, next.Size())
				}
			}
		}
		if len(sent) > 0 {
			t.Fatalf("seed %d: %d records are missing", seed, len(sent))
		}
	}
}

func TestRecordThatFillsItsBatchExactly(t *testing.T) {
	m := &batch.Message{Value: make([]byte, 5000), Timestamp: 1}
	size := batch.SizeAlone(m)
	small := &batch.Message{Timestamp: 1}
	for _, c := range []struct {
		limit int
		want  []int32 // records of each batch
	}{{size, []int32{1, 1, 1}}, {size - 1, []int32{1, 1, 1}}, {size + 100, []int32{3}}} {
		q := idleQueue(c.limit)
		for _, m := range []*batch.Message{small, m, small} {
			q.mustAdd(t, m)
		}
		q.seal()
		var got []int32
		for _, b := range q.sealed {
			got = append(got, b.Count())
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("limit %d: batches of %v records, want %v", c.limit, got, c.want)
		}
		if q.hint > c.limit {
			t.Errorf("limit %d: the next batch is to have %d bytes", c.limit, q.hint)
		}
	}
}

func TestRecordThatNoRequestHolds(t *testing.T) {
	q := idleQueue(1000)
	q.mustAdd(t, &batch.Message{Timestamp: 1})
	var credit int64
	_, _, err := q.add(&batch.Message{Value: make([]byte, maxRecordBytes), Timestamp: 1}, batch.Origin{}, &credit)
	if !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), `topic "orders", partition 0`) {
		t.Errorf("got %v", err)
	}
	if records, _ := q.buffered(); records != 1 || len(q.sealed) != 0 {
		t.Errorf("the refusal left %d records and %d closed batches", records, len(q.sealed))
	}
}
