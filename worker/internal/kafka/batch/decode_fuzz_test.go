package batch

import (
	"encoding/binary"
	"errors"
	"hash/crc32"
	"slices"
	"testing"
	"unsafe"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch/batchtest"
)

// FuzzDecodeSet decodes arbitrary bytes. The seeds, here and under testdata (log batches
// that Apache Kafka wrote), are of all codecs, whole, cut and damaged; fixSums gives
// damaged ones a right checksum, so that the code behind that check is reached too.
func FuzzDecodeSet(f *testing.F) {
	for codec := range batchtest.Codecs {
		data := batchtest.EncodeAll(
			batchtest.Spec{Codec: codec, Timestamp: 1_700_000_000_000, Records: smallVariety()},
			batchtest.Spec{Codec: codec, Base: 20, Attributes: transactionalFlag, ProducerID: 9, Records: batchtest.Values("gone")},
			batchtest.Marker(21, 9, 0), batchtest.Spec{Base: 22, Span: 3}, batchtest.Spec{Codec: codec, Base: 26, Records: batchtest.Values("last")},
		)
		f.Add(data, int64(0), false)
		f.Add(data[:len(data)-5], int64(2), true)
		for _, at := range []int{10, 18, 23, 57, 61, 70, 90} {
			damaged := slices.Clone(data)
			damaged[at] ^= 0x41
			f.Add(damaged, int64(0), true)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte, offset int64, fixSums bool) {
		data, offset = slices.Clone(data), max(offset, 0)
		if fixSums {
			resumAll(data)
		}
		found := ScanHeaders(data, offset)
		if found.Size > len(data) || found.Next < offset {
			t.Fatalf("scan: %+v of %d bytes from %d", found, len(data), offset)
		}
		s, pool := setOf(t, data[:found.Size], offset, AbortedTransaction{9, 20})
		checkDecoded(t, s, data, found)
		if pool.held == 0 && len(data) > 0 {
			t.Fatal("no memory came back")
		}
	})
}

// checkDecoded decodes a set of fuzzed data and checks what must hold for any.
func checkDecoded(t *testing.T, s *Set, data []byte, found Scan) {
	t.Helper()
	var b Batch
	defer b.Release()
	defer s.Release()
	next, sums := s.position, goodSums(data)
	for !s.Done() {
		err := s.Next(&b, 3, 1000)
		if err != nil {
			_, corrupt := errors.AsType[*CorruptError](err)
			_, legacy := errors.AsType[*LegacyFormatError](err)
			if !corrupt && !legacy || len(b.Records) > 0 {
				t.Fatalf("%d records with %v", len(b.Records), err)
			}
			return
		}
		if b.First != next || b.Next < b.First {
			t.Fatalf("a batch covers [%d, %d) after %d", b.First, b.Next, next)
		}
		for i := range b.Records {
			rec := &b.Records[i]
			if rec.Offset < next || rec.Offset >= b.Next {
				t.Fatalf("offset %d in [%d, %d) after %d", rec.Offset, b.First, b.Next, next)
			}
			next = rec.Offset + 1
			if !slices.ContainsFunc(sums, func(h logBatch) bool { return rec.Offset >= h.base && rec.Offset <= h.last }) {
				t.Fatalf("offset %d is in no batch with a right checksum", rec.Offset)
			}
			touch(rec.Key, rec.Value)
			for _, h := range rec.Headers {
				touch(unsafe.Slice(unsafe.StringData(h.Key), len(h.Key)), h.Value)
			}
		}
		next = b.Next
	}
	if found.Broken || found.Cut || next != found.Next {
		t.Fatalf("decoded up to %d without an error; scan: %+v", next, found)
	}
}

var touched byte

func touch(fields ...[]byte) {
	for _, s := range fields {
		for _, c := range s {
			touched ^= c
		}
	}
}

// goodSums returns the batches whose checksum is right.
func goodSums(data []byte) (out []logBatch) {
	w := batchWalk{data: data}
	for {
		h, err := w.peek()
		if err != nil {
			return out
		}
		if crc32.Checksum(h.bytes[21:], castagnoli) == binary.BigEndian.Uint32(h.bytes[17:]) {
			out = append(out, h)
		}
		w.pass(&h)
	}
}

func resumAll(data []byte) {
	for len(data) >= batchHeaderSize {
		size := int64(binary.BigEndian.Uint32(data[8:])) + 12
		if size < batchHeaderSize || size > int64(len(data)) {
			return
		}
		batchtest.Resum(data[:size])
		data = data[size:]
	}
}

func smallVariety() []kmsg.Record {
	return []kmsg.Record{
		{Key: []byte("k"), Value: []byte("v"), Headers: []kmsg.Header{{Key: "a", Value: []byte("1")}, {Key: "", Value: nil}}},
		{},
		{Key: []byte{}, Value: []byte{}},
		{OffsetDelta: 9, TimestampDelta64: -7, Value: []byte("0123456789012345678901234567890123456789012345678901234567890123456789")},
	}
}
