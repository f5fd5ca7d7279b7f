package batch

import (
	"testing"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch/batchtest"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
)

// TestClaimsOfBatchesAreNotBelieved: a log batch whose header, codec or records say that it
// has more than it has takes no memory for it.
func TestClaimsOfBatchesAreNotBelieved(t *testing.T) {
	for codec := range batchtest.Codecs {
		good := batchtest.Spec{Codec: codec, Records: smallVariety()}.Encode()
		testkit.LengthClaims(t, good, 16<<20, func(data []byte) {
			resumAll(data)
			s, _ := setOf(t, data, 0)
			defer s.Release()
			var b Batch
			defer b.Release()
			for !s.Done() && s.Next(&b, 100, 1<<20) == nil {
			}
		})
	}
}

// FuzzDecompress unpacks any bytes with each codec.
func FuzzDecompress(f *testing.F) {
	for codec, compress := range batchtest.Codecs {
		if codec != "none" {
			packed, kind := compress([]byte("some text, some text, some text and more"))
			f.Add(uint8(kind), packed)
			f.Add(uint8(kind), packed[:len(packed)/2])
		}
	}
	f.Fuzz(func(t *testing.T, codec uint8, packed []byte) {
		const limit = 1 << 20
		a := arena{pool: NewPool(limit), limit: limit}
		defer a.free()
		if data, err := a.decompress(int8(codec%8), packed, 0); err == nil && len(data) > limit {
			t.Errorf("%d bytes where %d are allowed", len(data), limit)
		}
	})
}
