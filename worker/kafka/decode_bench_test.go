package kafka

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// benchData is about 1 MiB of log batches of 100 records each, like those of a
// producer with a short linger.
func benchData(codec string, perBatch int) (data []byte, records int) {
	for base := int64(0); len(data) < 1<<20 && records < 20_000; {
		spec := batchSpec{base: base, codec: codec, timestamp: 1_700_000_000_000}
		for i := range perBatch {
			spec.records = append(spec.records, kmsg.Record{
				TimestampDelta64: int64(i),
				Key:              fmt.Appendf(nil, "user-%d", (base+int64(i))%1000),
				Value:            fmt.Appendf(nil, `{"id":%d,"text":"%s"}`, base+int64(i), bytes.Repeat([]byte("abc "), 16)),
			})
		}
		data = append(data, spec.encode()...)
		base += int64(perBatch)
		records += perBatch
	}
	return data, records
}

// decodeFull decodes a set as the engine does and returns the number of records.
func decodeFull(tb testing.TB, data []byte, pool *bufferPool, b *Batch) int {
	raw := pool.get(len(data))
	copy(raw.data, data)
	s := newSet(setSource{topic: "orders", pool: pool}, raw.data[:len(data)], raw)
	n := 0
	for !s.Done() {
		if err := s.Next(b, 512, 1<<20); err != nil {
			tb.Fatal(err)
		}
		n += len(b.Records)
	}
	b.Release()
	s.Release()
	return n
}

func BenchmarkDecode(b *testing.B) {
	for _, codec := range []string{"none", "gzip", "snappy", "lz4", "zstd"} {
		for _, perBatch := range []int{10, 500} {
			b.Run(fmt.Sprintf("%s/%d", codec, perBatch), func(b *testing.B) {
				data, want := benchData(codec, perBatch)
				pool := newBufferPool(64 << 20)
				var batch Batch
				decodeFull(b, data, pool, &batch)
				b.ReportAllocs()
				for b.Loop() {
					if n := decodeFull(b, data, pool, &batch); n != want {
						b.Fatal(n, want)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*want), "ns/record")
			})
		}
	}
}
