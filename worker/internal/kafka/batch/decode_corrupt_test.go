package batch

import (
	"bytes"
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch/batchtest"
)

// rawRecord encodes a record with a length that may lie.
func rawRecord(length int64, body ...byte) []byte {
	return append(binary.AppendVarint(nil, length), body...)
}

func TestCorruptBatchesAreNamed(t *testing.T) {
	good := batchtest.Spec{Base: 7, Records: batchtest.Values("first")}.Encode()
	damaged := func(change func(b []byte)) []byte {
		b := batchtest.Spec{Base: 8, Records: batchtest.Values("bad")}.Encode()
		change(b)
		return b
	}
	payload := func(count int32, span int32, b ...byte) []byte {
		return batchtest.Spec{Base: 8, Payload: b, Count: count, Span: span}.Encode()
	}
	cases := map[string]struct {
		batch []byte
		says  string
	}{
		"flipped bit":           {damaged(func(b []byte) { b[len(b)-1] ^= 1 }), "checksum"},
		"flipped checksum":      {damaged(func(b []byte) { b[18] ^= 1 }), "checksum"},
		"length too small":      {damaged(func(b []byte) { binary.BigEndian.PutUint32(b[8:], 48) }), "can't have 60 bytes"},
		"negative length":       {damaged(func(b []byte) { binary.BigEndian.PutUint32(b[8:], 1<<31) }), "can't have"},
		"absurd length":         {damaged(func(b []byte) { binary.BigEndian.PutUint32(b[8:], 1<<31-1) }), "can't have"},
		"unknown magic":         {damaged(func(b []byte) { b[16] = 3 }), "unknown format v3"},
		"offset goes back":      {damaged(func(b []byte) { binary.BigEndian.PutUint64(b, 6) }), "base offset 6 lies below 8"},
		"negative offset":       {damaged(func(b []byte) { binary.BigEndian.PutUint64(b, 1<<63) }), "offsets"},
		"offset overflows":      {damaged(func(b []byte) { binary.BigEndian.PutUint64(b, 1<<63-1) }), "offsets"},
		"negative offset delta": {batchtest.Resum(damaged(func(b []byte) { binary.BigEndian.PutUint32(b[23:], 1<<31) })), "offsets"},
		"negative count":        {batchtest.Resum(damaged(func(b []byte) { binary.BigEndian.PutUint32(b[57:], 1<<31) })), "records can't be in a batch"},
		"more records than offsets": {
			batchtest.Resum(damaged(func(b []byte) { binary.BigEndian.PutUint32(b[57:], 1<<30) })), "records can't be in a batch",
		},
		"count above the records":   {batchtest.Spec{Base: 8, Records: batchtest.Values("bad"), Span: 9, Count: 1}.Encode(), "ends before its records do"},
		"count below the records":   {batchtest.Spec{Base: 8, Records: batchtest.Values("bad", "worse"), Count: -1}.Encode(), "more than its records"},
		"unknown codec":             {batchtest.Resum(damaged(func(b []byte) { b[22] |= 5 })), "unknown compression 5"},
		"record length cut":         {payload(1, 0, 0x80), "ends before"},
		"record length too long":    {payload(1, 0, bytes.Repeat([]byte{0xff}, 12)...), "ends before"},
		"record longer than batch":  {payload(1, 0, rawRecord(1<<40, 0, 0, 0, 0)...), "its length is 1099511627776"},
		"record of negative length": {payload(1, 0, rawRecord(-3, 0, 0, 0, 0)...), "its length is -3"},
		"empty record":              {payload(1, 0, rawRecord(0)...), "cut or too long"},
		"key longer than record":    {payload(1, 0, rawRecord(6, 0, 0, 0, 20, 1, 0)...), "a field of 10 bytes where 2 are left"},
		"value longer than record":  {payload(1, 0, rawRecord(6, 0, 0, 0, 1, 20, 0)...), "a field of 10 bytes where 1 are left"},
		"offset outside the batch":  {payload(1, 0, rawRecord(6, 0, 0, 2, 1, 1, 0)...), "its offset 9 is not in [8, 8]"},
		"negative offset in batch":  {payload(1, 0, rawRecord(6, 0, 0, 1, 1, 1, 0)...), "its offset 7 is not in"},
		"offsets out of order":      {payload(2, 5, slices.Concat(rawRecord(6, 0, 0, 4, 1, 1, 0), rawRecord(6, 0, 0, 4, 1, 1, 0))...), "its offset 10 is not in [11, 13]"},
		"bytes behind the fields":   {payload(1, 0, rawRecord(8, 0, 0, 0, 1, 1, 0, 9, 9)...), "2 of its bytes"},
		"headers that aren't there": {payload(1, 0, rawRecord(7, 0, 0, 0, 1, 1, 0x7e, 0)...), "header count"},
		"negative header count":     {payload(1, 0, rawRecord(6, 0, 0, 0, 1, 1, 1)...), "header count"},
		"a header without a name":   {payload(1, 0, rawRecord(8, 0, 0, 0, 1, 1, 2, 1, 1)...), "no name"},
		"header count cut":          {payload(1, 0, rawRecord(5, 0, 0, 0, 1, 1)...), "cut or too long"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s, _ := setOf(t, slices.Concat(good, c.batch), 7)
			got, next, err := decodeAll(t, s, 1, 1000)
			corrupt, ok := errors.AsType[*CorruptError](err)
			if !ok {
				t.Fatalf("got %v and %d records, want a CorruptError", err, len(got))
			}
			if len(got) == 0 || string(got[0].Value) != "first" || corrupt.Offset != next {
				t.Errorf("read %v up to %d in front of %v", batchtest.Offsets(got), next, err)
			}
			for _, word := range []string{`topic "orders"`, "partition 3", "offset " + strconv.FormatInt(next, 10), c.says} {
				if !strings.Contains(err.Error(), word) {
					t.Errorf("%q does not say %q", err, word)
				}
			}
		})
	}
}

func TestErrorComesAfterTheRecordsInFrontOfIt(t *testing.T) {
	bad := batchtest.Spec{Base: 1, Records: batchtest.Values("bad")}.Encode()
	bad[len(bad)-1] ^= 1
	s, _ := setOf(t, slices.Concat(batchtest.Spec{Records: batchtest.Values("good")}.Encode(), bad), 0)
	var b Batch
	if err := s.Next(&b, 10, 1000); err != nil || len(b.Records) != 1 || b.Next != 1 {
		t.Fatalf("the good record: %v, %d records up to %d", err, len(b.Records), b.Next)
	}
	if s.Done() {
		t.Fatal("done before the error was told")
	}
	for range 2 {
		if err := s.Next(&b, 10, 1000); err == nil || len(b.Records) != 0 || !s.Done() {
			t.Fatalf("err %v, %d records, done %v", err, len(b.Records), s.Done())
		}
	}
}

func TestLegacyFormatIsNamed(t *testing.T) {
	v1 := kmsg.MessageV1{Offset: 1, Magic: 1, Value: []byte("old")}
	raw := v1.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[8:], uint32(len(raw)-12))
	s, _ := setOf(t, slices.Concat(batchtest.Spec{Records: batchtest.Values("new")}.Encode(), raw), 0)
	got, _, err := decodeAll(t, s, 10, 1000)
	legacy, ok := errors.AsType[*LegacyFormatError](err)
	if !ok || len(got) != 1 || legacy.Offset != 1 || legacy.Magic != 1 || legacy.Partition != 3 || legacy.Topic != "orders" {
		t.Fatalf("got %d records and %v", len(got), err)
	}
}

// TestLyingSizesDoNotAllocate feeds compressed batches that claim to be huge.
func TestLyingSizesDoNotAllocate(t *testing.T) {
	frame := func(n uint32, block []byte) []byte {
		b := append([]byte("\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01"), 0, 0, 0, 0)
		binary.BigEndian.PutUint32(b[16:], n)
		return append(b, block...)
	}
	cases := map[string]struct {
		codec   int16
		payload []byte
	}{
		"snappy block":       {2, binary.AppendUvarint(nil, 1<<32-1)},
		"snappy frame":       {2, frame(1<<32-1, []byte{1, 2, 3})},
		"snappy framed size": {2, frame(5, binary.AppendUvarint(nil, 1<<32-1))},
		"snappy nothing":     {2, nil},
		"zstd window":        {4, []byte{0x28, 0xb5, 0x2f, 0xfd, 0x00, 0xff, 1, 0, 0}},
		"zstd content":       {4, append([]byte{0x28, 0xb5, 0x2f, 0xfd, 0xe0, 0, 0, 0, 0, 1, 0, 0, 0}, 1, 0, 0)},
		"zstd nothing":       {4, nil},
		"gzip nothing":       {1, nil},
		"lz4 nothing":        {3, nil},
		"lz4 garbage":        {3, bytes.Repeat([]byte{0x11}, 50)},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			spec := batchtest.Spec{Payload: c.payload, Attributes: c.codec, Count: 1}
			s, _ := setOf(t, spec.Encode(), 0)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			got, _, err := decodeAll(t, s, 10, 1000)
			runtime.ReadMemStats(&after)
			if _, ok := errors.AsType[*CorruptError](err); !ok || len(got) != 0 {
				t.Errorf("got %d records and %v, want a CorruptError", len(got), err)
			}
			if bytes := after.TotalAlloc - before.TotalAlloc; bytes > 16<<20 {
				t.Errorf("%d MiB were allocated", bytes>>20)
			}
		})
	}
}

func TestCutCompressedData(t *testing.T) {
	for codec, compress := range batchtest.Codecs {
		if codec == "none" {
			continue
		}
		whole, kind := compress(bytes.Repeat([]byte("some text "), 20_000))
		for _, cut := range []int{1, 3, 10, len(whole) / 2} {
			s, _ := setOf(t, batchtest.Spec{Payload: whole[:len(whole)-cut], Attributes: kind, Count: 1}.Encode(), 0)
			if _, _, err := decodeAll(t, s, 10, 1000); err == nil {
				t.Errorf("%s cut by %d bytes: no error", codec, cut)
			}
		}
	}
}
