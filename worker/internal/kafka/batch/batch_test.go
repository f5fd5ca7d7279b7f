package batch

import (
	"bytes"
	"fmt"
	"sync"
	"testing"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch/batchtest"
)

// TestBatchKeepsItsMemoryBeyondTheSet releases the set, and overwrites the memory that
// came back to the pool, while batches are still in use.
func TestBatchKeepsItsMemoryBeyondTheSet(t *testing.T) {
	for codec := range batchtest.Codecs {
		t.Run(codec, func(t *testing.T) {
			var specs []batchtest.Spec
			for i := range 40 {
				specs = append(specs, batchtest.Spec{Base: int64(i), Codec: codec, Records: batchtest.Values(fmt.Sprintf("value %d %s", i, bytes.Repeat([]byte("x"), 500*i)))})
			}
			s, pool := setOf(t, batchtest.EncodeAll(specs...), 0)
			var batches []*Batch
			seen := map[*Buffer]bool{s.raw: true}
			for !s.Done() {
				b := new(Batch)
				if err := s.Next(b, 3, 1<<20); err != nil {
					t.Fatal(err)
				}
				batches = append(batches, b)
				for _, buf := range b.buffers {
					seen[buf] = true
				}
			}
			s.Release()
			s.Release()
			dirty(pool)
			offset := 0
			for _, b := range batches {
				for i := range b.Records {
					if want := fmt.Sprintf("value %d %s", offset, bytes.Repeat([]byte("x"), 500*offset)); string(b.Records[i].Value) != want {
						t.Fatalf("record %d is %.20q, want %.20q", offset, b.Records[i].Value, want)
					}
					offset++
				}
				b.Release()
				b.Release()
				dirty(pool)
			}
			if offset != 40 {
				t.Errorf("%d records", offset)
			}
			used := 0
			for buf := range seen {
				used += len(buf.data)
			}
			if pool.held < used {
				t.Errorf("%d bytes came back of %d", pool.held, used)
			}
		})
	}
}

// dirty writes over all memory that a pool thinks is unused.
func dirty(p *Pool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, list := range p.free {
		for _, b := range list {
			for i := range b.data {
				b.data[i] = 0xdb
			}
		}
	}
}

func TestSmallCompressedBatchesShareABlock(t *testing.T) {
	var specs []batchtest.Spec
	for i := range 200 {
		specs = append(specs, batchtest.Spec{Base: int64(i), Codec: "zstd", Records: batchtest.Values("small", "and small")[:1]})
	}
	s, _ := setOf(t, batchtest.EncodeAll(specs...), 0)
	var b Batch
	if err := s.Next(&b, 1000, 1<<20); err != nil {
		t.Fatal(err)
	}
	if len(b.Records) != 200 || len(b.buffers) > 2 {
		t.Errorf("%d records of one batch borrow %d blocks", len(b.Records), len(b.buffers))
	}
}

func TestBatchesAreReleasedByOtherGoroutines(t *testing.T) {
	var specs []batchtest.Spec
	for i := range 300 {
		codec := []string{"none", "lz4"}[i%2]
		specs = append(specs, batchtest.Spec{Base: int64(i), Codec: codec, Records: batchtest.Values(fmt.Sprint(i))})
	}
	data := batchtest.EncodeAll(specs...)
	pool := NewPool(1 << 20)
	for range 20 {
		raw := pool.Get(len(data))
		copy(raw.data, data)
		s := NewSet(Source{Topic: "orders", Pool: pool}, raw.data[:len(data)], raw)
		var users sync.WaitGroup
		for !s.Done() {
			b := new(Batch)
			if err := s.Next(b, 7, 1<<20); err != nil {
				t.Fatal(err)
			}
			users.Go(func() {
				for i := range b.Records {
					if string(b.Records[i].Value) != fmt.Sprint(b.Records[i].Offset) {
						t.Errorf("offset %d has %q", b.Records[i].Offset, b.Records[i].Value)
					}
				}
				b.Release()
			})
		}
		s.Release()
		users.Wait()
	}
}

// TestDecodingDoesNotAllocate bounds the allocations of a set by its log batches
// (the codecs' readers), with none for a record.
func TestDecodingDoesNotAllocate(t *testing.T) {
	for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		data, records := batchtest.BenchData(codec, 500)
		pool := NewPool(64 << 20)
		var b Batch
		got := testing.AllocsPerRun(5, func() {
			if n := decodeFull(t, data, pool, &b); n != records {
				t.Fatal(n)
			}
		})
		perBatch := 0.0
		if codec != "none" {
			perBatch = 12 // the race detector makes sync.Pool forget
		}
		if limit := 1 + perBatch*float64(records)/500; got > limit {
			t.Errorf("%s: %.0f allocations for %d records in %d batches, want at most %.0f", codec, got, records, records/500, limit)
		}
	}
}

// TestReleasedBatchKeepsNoLargeBlockAlive: memory that no pool keeps is garbage once its
// batch is released, even if the batch is kept.
func TestReleasedBatchKeepsNoLargeBlockAlive(t *testing.T) {
	for _, codec := range []string{"none", "zstd"} {
		large := bytes.Repeat([]byte("x"), 1<<maxBufferBits)
		s, _ := setOf(t, batchtest.EncodeAll(batchtest.Spec{Codec: codec, Records: batchtest.Values(string(large))}), 0)
		var b Batch
		if err := s.Next(&b, 1, 16<<20); err != nil {
			t.Fatal(err)
		}
		s.Release()
		b.Release()
		if rec := b.Records[:1][0]; rec.Value != nil {
			t.Errorf("%s: a released batch refers to %d bytes", codec, len(rec.Value))
		}
		if b.large {
			t.Errorf("%s: a released batch is large for good", codec)
		}
	}
}
