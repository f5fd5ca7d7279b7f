package batch

import (
	"fmt"
	"testing"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch/batchtest"
)

// decodeFull decodes a set as the engine does and returns the number of records.
func decodeFull(tb testing.TB, data []byte, pool *Pool, b *Batch) int {
	raw := pool.Get(len(data))
	copy(raw.data, data)
	s := NewSet(Source{Topic: "orders", Pool: pool}, raw.data[:len(data)], raw)
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
				data, want := batchtest.BenchData(codec, perBatch)
				pool := NewPool(64 << 20)
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
