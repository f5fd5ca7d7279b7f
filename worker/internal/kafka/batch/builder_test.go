package batch

import (
	"bytes"
	"testing"

	"github.com/segmentio/kafka-go/compress"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch/batchtest"
)

func TestSubsetsKeepTheirRecords(t *testing.T) {
	messages := batchtest.ManyMessages[Message]()
	pool := NewPool(1 << 22)
	for name, keep := range map[string]func(i int) bool{
		"first half":  func(i int) bool { return i < len(messages)/2 },
		"second half": func(i int) bool { return i >= len(messages)/2 },
		"every third": func(i int) bool { return i%3 == 2 },
		"the last":    func(i int) bool { return i == len(messages)-1 },
	} {
		t.Run(name, func(t *testing.T) {
			b := fill(t, pool, messages)
			parts := make([]int32, len(messages))
			for i := range parts {
				if !keep(i) {
					parts[i] = -1
				}
			}
			part := b.Divide(parts, &BuilderPool{}, NewPool(1<<22))[0]
			if part.end > b.end {
				t.Errorf("%d bytes of %d", part.end, b.end)
			}
			part.Finish(Identity{ID: 1}, 9)
			batch, records := batchtest.Decoded(t, part.Encoded())
			k, newest := 0, int64(noTimestamp)
			for i := range messages {
				if !keep(i) {
					continue
				}
				if err := batchtest.SameMessage(&messages[i], batch.FirstTimestamp, k, records[k]); err != nil {
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
	pool := NewPool(1 << 20)
	b := fill(t, pool, []Message{{Value: bytes.Repeat([]byte("a"), 10_000)}})
	if err := b.Pack(compress.Zstd, pool); err != nil {
		t.Fatal(err)
	}
	for id := range int64(3) {
		b.Finish(Identity{ID: id, Epoch: int16(id)}, int32(id))
		batch, records := batchtest.Decoded(t, b.Encoded())
		if batch.ProducerID != id || batch.FirstSequence != int32(id) || len(records[0].Value) != 10_000 || batch.Attributes != 4 {
			t.Errorf("header %+v", batch)
		}
	}
}

func TestBuildersForgetTheirOwners(t *testing.T) {
	var pool BuilderPool
	b := pool.Get()
	b.origins = append(b.origins, Origin{Owner: t, Index: 1}, Origin{Owner: t, Index: 2})
	pool.Put(b)
	again := pool.Get()
	if again != b || len(again.origins) != 0 {
		t.Fatal("the builder was not kept for reuse")
	}
	for _, o := range again.origins[:2] {
		if o.Owner != nil {
			t.Error("the origin's owner is kept alive")
		}
	}
	large := &Builder{origins: make([]Origin, 0, maxPooledOrigins+1)}
	pool.Put(large)
	if pool.Get() == large {
		t.Error("a builder beyond the bound was kept")
	}
}
