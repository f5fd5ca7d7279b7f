package batch

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/klauspost/compress/zstd"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch/batchtest"
)

// TestZstdBound compares what the headers of a frame tell with what it unpacks to.
func TestZstdBound(t *testing.T) {
	random := make([]byte, 300<<10)
	for i := range random {
		random[i] = byte(rand.Uint32())
	}
	text := bytes.Repeat([]byte("some text and more "), 40_000)
	skipped := []byte{0x5A, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3}
	whole := func(b []byte) []byte { packed, _ := batchtest.Codecs["zstd"](b); return packed }
	streamed := func(b []byte) []byte { packed, _ := batchtest.Codecs["zstd-streamed"](b); return packed }
	flushed := func(b []byte) []byte {
		var out bytes.Buffer
		w, err := zstd.NewWriter(&out, zstd.WithEncoderCRC(true))
		if err != nil {
			t.Fatal(err)
		}
		for part := range slices.Chunk(b, 100<<10) {
			if _, err := w.Write(part); err != nil {
				t.Fatal(err)
			}
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	for name, c := range map[string]struct {
		packed []byte
		size   int
		exact  bool
	}{
		"a frame that tells its size": {whole(text), len(text), true},
		"a small one":                 {whole(text[:300]), 300, true},
		"random bytes":                {streamed(random), len(random), true},
		"a stream":                    {streamed(text), len(text), false},
		"zeros":                       {streamed(make([]byte, 1<<20)), 1 << 20, false},
		"blocks that are not full":    {flushed(text), len(text), false},
		"frames":                      {slices.Concat(whole(text), skipped, flushed(text), whole(random)), 2*len(text) + len(random), false},
		"nothing":                     {whole(nil), 0, true},
	} {
		bound := zstdBound(c.packed)
		if bound < c.size || c.exact && bound > c.size || bound > 2*c.size+2*zstdMaxBlock {
			t.Errorf("%s: at most %d bytes, want %d", name, bound, c.size)
		}
		a := arena{pool: NewPool(1 << 20)}
		got, err := a.decompress(4, c.packed, 0)
		if err != nil || len(got) != c.size {
			t.Errorf("%s: %d bytes and %v, want %d", name, len(got), err, c.size)
		}
		a.free()
		for cut := range min(len(c.packed), 40) {
			if bound := zstdBound(c.packed[:cut]); bound > 2*c.size+2*zstdMaxBlock {
				t.Errorf("%s cut to %d bytes: at most %d bytes", name, cut, bound)
			}
		}
	}
}
