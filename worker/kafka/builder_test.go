package kafka

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go/compress"
)

func TestSubsetsKeepTheirRecords(t *testing.T) {
	messages := manyMessages()
	pool := newBufferPool(1 << 22)
	for name, keep := range map[string]func(i int) bool{
		"first half":  func(i int) bool { return i < len(messages)/2 },
		"second half": func(i int) bool { return i >= len(messages)/2 },
		"every third": func(i int) bool { return i%3 == 2 },
		"the last":    func(i int) bool { return i == len(messages)-1 },
	} {
		t.Run(name, func(t *testing.T) {
			b := fill(t, pool, messages)
			p := (&Client{}).NewProducer(ProducerConfig{})
			parts := make([]int32, len(messages))
			for i := range parts {
				if !keep(i) {
					parts[i] = -1
				}
			}
			part := p.divide(b, parts)[0]
			if part.end > b.end {
				t.Errorf("%d bytes of %d", part.end, b.end)
			}
			part.finish(producerIdentity{id: 1}, 9)
			batch, records := decoded(t, part.wire())
			k, newest := 0, int64(noTimestamp)
			for i := range messages {
				if !keep(i) {
					continue
				}
				if err := sameMessage(&messages[i], batch.FirstTimestamp, k, records[k]); err != nil {
					t.Errorf("record %d: %v", i, err)
				}
				if part.origins[k].Index != int32(i) {
					t.Errorf("record %d has the origin of %d", i, part.origins[k].Index)
				}
				newest = max(newest, messages[i].Timestamp)
				k++
			}
			if k != len(records) || batch.MaxTimestamp != newest {
				t.Errorf("%d records up to %d, want %d up to %d", len(records), batch.MaxTimestamp, k, newest)
			}
		})
	}
}

func TestCompressedBatchMayGetAnotherIdentity(t *testing.T) {
	pool := newBufferPool(1 << 20)
	b := fill(t, pool, []Message{{Value: bytes.Repeat([]byte("a"), 10_000)}})
	if err := b.pack(compress.Zstd, pool); err != nil {
		t.Fatal(err)
	}
	for id := range int64(3) {
		b.finish(producerIdentity{id: id, epoch: int16(id)}, int32(id))
		batch, records := decoded(t, b.wire())
		if batch.ProducerID != id || batch.FirstSequence != int32(id) || len(records[0].Value) != 10_000 || batch.Attributes != 4 {
			t.Errorf("header %+v", batch)
		}
	}
}

func TestBuildersForgetTheirOwners(t *testing.T) {
	var pool builderPool
	b := pool.get()
	b.origins = append(b.origins, Origin{Owner: t, Index: 1}, Origin{Owner: t, Index: 2})
	pool.put(b)
	again := pool.get()
	if again != b || len(again.origins) != 0 {
		t.Fatal("the builder was not kept for reuse")
	}
	for _, o := range again.origins[:2] {
		if o.Owner != nil {
			t.Error("the origin's owner is kept alive")
		}
	}
	large := &builder{origins: make([]Origin, 0, maxPooledOrigins+1)}
	pool.put(large)
	if pool.get() == large {
		t.Error("a builder beyond the bound was kept")
	}
}

// idleQueue is a queue that nothing takes from.
func idleQueue(maxBatchBytes int) *partitionQueue {
	p := (&Client{}).NewProducer(ProducerConfig{MaxBatchBytes: maxBatchBytes})
	return newTopicWriter(p, "orders", 1, TopicOptions{}).layout.Load().queues[0]
}

func (q *partitionQueue) mustAdd(t *testing.T, m *Message) {
	t.Helper()
	var credit int64
	if _, missing, err := q.add(m, Origin{}, &credit); missing > 0 || err != nil {
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
		var sent []Message
		for range 300 {
			m := randomMessage(random)
			var credit int64
			if _, missing, err := q.add(&m, Origin{}, &credit); missing != 0 || err != nil {
				t.Fatalf("seed %d: missing %d, %v for a batch of %d bytes of %d", seed, missing, err, sizeAlone(&m), limit)
			}
			sent = append(sent, m)
		}
		q.seal()
		for i, b := range q.sealed {
			b.finish(producerIdentity{}, 0)
			if len(b.wire()) > limit && b.count() > 1 {
				t.Fatalf("seed %d: a batch of %d bytes where %d are allowed", seed, len(b.wire()), limit)
			}
			batch, records := decoded(t, b.wire())
			for k := range records {
				if err := sameMessage(&sent[k], batch.FirstTimestamp, k, records[k]); err != nil {
					t.Fatalf("seed %d: record %d of batch %d: %v", seed, k, i, err)
				}
			}
			// The next record had no place in it any more.
			if sent = sent[len(records):]; len(sent) > 0 {
				next := measure(&sent[0], sent[0].Timestamp-b.firstTimestamp, int64(len(records)))
				if b.end+next.size() <= limit {
					t.Fatalf("seed %d: batch %d ended at %d of %d bytes before a record of %d", seed, i, b.end, limit, next.size())
				}
			}
		}
		if len(sent) > 0 {
			t.Fatalf("seed %d: %d records are missing", seed, len(sent))
		}
	}
}

func TestRecordThatFillsItsBatchExactly(t *testing.T) {
	m := &Message{Value: make([]byte, 5000), Timestamp: 1}
	size := sizeAlone(m)
	small := &Message{Timestamp: 1}
	for _, c := range []struct {
		limit int
		want  []int32 // records of each batch
	}{{size, []int32{1, 1, 1}}, {size - 1, []int32{1, 1, 1}}, {size + 100, []int32{3}}} {
		q := idleQueue(c.limit)
		for _, m := range []*Message{small, m, small} {
			q.mustAdd(t, m)
		}
		q.seal()
		var got []int32
		for _, b := range q.sealed {
			got = append(got, b.count())
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
	q.mustAdd(t, &Message{Timestamp: 1})
	var credit int64
	_, _, err := q.add(&Message{Value: make([]byte, maxRecordBytes), Timestamp: 1}, Origin{}, &credit)
	if !errors.Is(err, ErrTooLarge) || !strings.Contains(err.Error(), `topic "orders", partition 0`) {
		t.Errorf("got %v", err)
	}
	if records, _ := q.buffered(); records != 1 || len(q.sealed) != 0 {
		t.Errorf("the refusal left %d records and %d closed batches", records, len(q.sealed))
	}
}
