package engine_test

import (
	"bytes"
	"context"
	"fmt"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
)

// sparse produces n large records to each partition, each with its name as key, a
// header and the start of its value.
func (r *rig) sparse(partitions, n, size int, opts ...kgo.Opt) {
	r.t.Helper()
	for p := range partitions {
		var records []*kgo.Record
		for i := range n {
			name := fmt.Sprintf("%d/%d", p, i)
			value := append([]byte(name+" "), bytes.Repeat([]byte{byte(i)}, size)...)
			records = append(records, &kgo.Record{
				Topic: "in", Partition: int32(p), Key: []byte(name), Value: value,
				Headers: []kgo.RecordHeader{{Key: "name", Value: []byte(name)}},
			})
		}
		r.cluster.ProduceWith(append([]kgo.Opt{kgo.RecordPartitioner(kgo.ManualPartitioner())}, opts...), records...)
	}
}

// TestRecordsThatWaitDoNotPinWhatCameWithThem has one record in a hundred wait
// for its retry while the worker reads many times the memory that input may take. The
// records that waited are whole in the end.
func TestRecordsThatWaitDoNotPinWhatCameWithThem(t *testing.T) {
	const partitions, each, size, bound = 2, 1500, 16_000, 4 << 20
	for ordering, codec := range map[config.Ordering]kgo.CompressionCodec{
		config.Unordered: kgo.NoCompression(), config.Key: kgo.ZstdCompression(),
	} {
		t.Run(string(ordering), func(t *testing.T) {
			r, _ := fakeRig(t, partitions)
			r.cfg.Ordering = ordering
			r.cfg.InFlight = config.InFlight{Records: 10_000, Bytes: bound}
			r.cfg.Failure.Backoff = config.Backoff{Initial: duration(3 * time.Second), Max: duration(3 * time.Second)}
			r.cfg.Failure.MaxAttempts = 1000
			r.sparse(partitions, each, size, kgo.ProducerBatchCompression(codec))
			var heal atomic.Bool
			var damaged atomic.Int64
			w := r.start(worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
				name := fmt.Sprintf("%d/%d", rec.Partition, rec.Offset)
				header, _ := rec.Header("name")
				whole := append([]byte(name+" "), bytes.Repeat([]byte{byte(rec.Offset)}, size)...)
				if string(rec.Key) != name || string(header) != name || !bytes.Equal(rec.Value, whole) {
					damaged.Add(1)
				}
				if rec.Offset%100 == 7 && !heal.Load() {
					return nil, errPoison
				}
				return []byte(name), nil
			}))
			most := int64(0)
			r.eventually("all but the records that wait are through", func() bool {
				most = max(most, w.engine.Status().Members[0].MemoryBytes)
				return w.engine.Status().Totals.RecordsOut == partitions*(each-each/100)
			})
			r.eventually("only those that wait take memory", func() bool {
				return w.engine.Status().Members[0].MemoryBytes < 2*partitions*each/100*size
			})
			// One partition at a time may unpack a log batch beyond the bound.
			if limit := int64(bound + 2<<20); most > limit {
				t.Errorf("%d KiB of memory were in use, want at most %d", most>>10, limit>>10)
			}
			heal.Store(true)
			r.awaitSettled(w)
			r.eventually("all memory is given back", func() bool { return w.engine.Status().Members[0].MemoryBytes == 0 })
			w.drain()
			if n := damaged.Load(); n > 0 {
				t.Errorf("%d records were changed", n)
			}
			if got := r.values("out"); len(got) != partitions*each {
				t.Errorf("%d values out, want %d", len(got), partitions*each)
			}
		})
	}
}

// TestRecordsThatWaitLeaveMemoryToUnpack has one record in 256 wait for its retry
// while there is more to fetch, packed, than memory may hold. All other records
// are read.
func TestRecordsThatWaitLeaveMemoryToUnpack(t *testing.T) {
	const partitions, each, size, failing = 8, 3000, 8000, 12
	r, _ := fakeRig(t, partitions)
	r.cfg.InFlight = config.InFlight{Records: 10_000, Bytes: 8 << 20}
	r.sparse(partitions, each, size)
	w := r.start(worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		if rec.Offset%256 == 5 {
			return nil, errPoison
		}
		return rec.Key, nil
	}), longBackoff)
	r.eventually("all others are written", func() bool {
		return w.engine.Status().Totals.RecordsOut == partitions*(each-failing)
	})
	w.drain()
}

// TestRecordsThatWaitLeaveRoomForLargeBatches: a record of one partition takes long
// and pins a log batch that is larger than the memory for all. The other partitions
// have records that wait for their retry, and are read past them batch by batch.
func TestRecordsThatWaitLeaveRoomForLargeBatches(t *testing.T) {
	for name, codec := range map[string]kgo.CompressionCodec{"uncompressed": kgo.NoCompression(), "zstd": kgo.ZstdCompression()} {
		t.Run(name, func(t *testing.T) {
			const each, apart = 200, 40 // one of so many records waits
			r, _ := fakeRig(t, 3)
			produce := func(partition int32) {
				var records []*kgo.Record
				for i := range each {
					rec := &kgo.Record{Topic: "in", Partition: partition, Key: []byte(strconv.Itoa(i)), Value: make([]byte, 20_000)}
					if i%apart == 7 {
						rec.Value = []byte("poison")
					}
					records = append(records, rec)
				}
				r.cluster.ProduceWith([]kgo.Opt{kgo.ProducerBatchCompression(codec), kgo.RecordPartitioner(kgo.ManualPartitioner())}, records...)
			}
			var hanging atomic.Int32
			ended := make(chan struct{})
			t.Cleanup(func() { close(ended) }) // so that a failed test ends
			w := r.start(worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
				if rec.Partition == 0 && rec.Offset < 2 {
					hanging.Add(1)
					<-ended
				}
				if string(rec.Value) == "poison" {
					return nil, errPoison
				}
				return rec.Key, nil
			}), func(c *config.Config) {
				c.Ordering = config.Key
				c.InFlight.Bytes = 256 << 10
				c.Failure.Timeout = duration(5 * time.Minute)
				c.Failure.Backoff = config.Backoff{Initial: duration(time.Hour), Max: duration(time.Hour)}
				c.DrainTimeout = duration(time.Second)
			})
			produce(0)
			r.eventually("a record takes long", func() bool { return hanging.Load() > 0 })
			for partition := range int32(2) {
				produce(1 + partition)
			}
			r.eventually("all others of the other partitions are settled", func() bool {
				p, q := w.partition(1), w.partition(2)
				return p.Position == each && q.Position == each && p.InFlight.Records == each/apart && q.InFlight.Records == each/apart
			})
		})
	}
}
