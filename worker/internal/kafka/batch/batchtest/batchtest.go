// Package batchtest writes log batches, and reads them, with encoders and decoders that are
// independent of package batch, for the tests of it and its users.
package batchtest

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/segmentio/kafka-go/compress"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/record"
)

// fields are the fields of a message. The package under test has a type of the same
// fields, which this package can't import.
type fields = struct {
	Key, Value     []byte
	Headers, Extra []record.Header
	Timestamp      int64
}

func convert[M ~fields](list []fields) (messages []M) {
	for _, f := range list {
		messages = append(messages, M(f))
	}
	return messages
}

// Codecs are the ways a log batch may be compressed. Snappy has two: a bare
// block, and the frames that Java writes. So has zstd: a stream does not tell its size,
// which is how Java writes it too.
var Codecs = map[string]func([]byte) (compressed []byte, attribute int16){
	"none":          func(b []byte) ([]byte, int16) { return b, 0 },
	"gzip":          franzCodec(kgo.GzipCompression()),
	"snappy":        franzCodec(kgo.SnappyCompression()),
	"snappy-framed": streamed(compress.Snappy),
	"lz4":           franzCodec(kgo.Lz4Compression()),
	"zstd":          franzCodec(kgo.ZstdCompression()),
	"zstd-streamed": streamed(compress.Zstd),
}

func franzCodec(codec kgo.CompressionCodec) func([]byte) ([]byte, int16) {
	return func(b []byte) ([]byte, int16) {
		c, err := kgo.DefaultCompressor(codec)
		if err != nil {
			panic(err)
		}
		out, kind := c.Compress(new(bytes.Buffer), b)
		return bytes.Clone(out), int16(kind)
	}
}

// streamed compresses as kafka-go's writer does. Its snappy is framed as Java's.
func streamed(codec compress.Compression) func([]byte) ([]byte, int16) {
	return func(b []byte) ([]byte, int16) {
		var out bytes.Buffer
		w := codec.Codec().NewWriter(&out)
		if _, err := w.Write(b); err != nil {
			panic(err)
		}
		if err := w.Close(); err != nil {
			panic(err)
		}
		return out.Bytes(), int16(codec)
	}
}

// Spec describes a log batch that an encoder independent of this package's
// code writes.
type Spec struct {
	Base       int64
	Records    []kmsg.Record // OffsetDelta is the index if it is 0
	Span       int32         // last offset delta, if above the last record's
	Codec      string        // "" is none
	Attributes int16
	Timestamp  int64
	MaxTime    int64
	ProducerID int64
	Count      int32 // added to the number of records: a lie
	Payload    []byte
}

// Encode returns the batch's bytes, with its lies.
func (s Spec) Encode() []byte {
	payload, last := s.Payload, int32(0)
	for i, rec := range s.Records {
		if rec.OffsetDelta == 0 {
			rec.OffsetDelta = int32(i)
		}
		last = rec.OffsetDelta
		rec.Length = 0
		rec.Length = int32(len(rec.AppendTo(nil)) - 1)
		payload = rec.AppendTo(payload)
	}
	codec := s.Codec
	if codec == "" {
		codec = "none"
	}
	payload, kind := Codecs[codec](payload)
	return finish(kmsg.RecordBatch{
		FirstOffset:     s.Base,
		Magic:           2,
		Attributes:      kind | s.Attributes,
		LastOffsetDelta: max(last, s.Span),
		FirstTimestamp:  s.Timestamp,
		MaxTimestamp:    s.MaxTime,
		ProducerID:      s.ProducerID,
		ProducerEpoch:   -1,
		FirstSequence:   -1,
		NumRecords:      int32(len(s.Records)) + s.Count,
		Records:         payload,
	})
}

func finish(b kmsg.RecordBatch) []byte {
	raw := b.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[8:], uint32(len(raw)-12))
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return raw
}

// Resum updates the checksum after a test has changed a batch's bytes.
func Resum(raw []byte) []byte {
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return raw
}

// Marker returns the batch of a transaction's end; kind is 0 for an abort, 1 for a commit.
func Marker(base, producerID int64, kind uint16) Spec {
	key := binary.BigEndian.AppendUint16(make([]byte, 2), kind)
	return Spec{
		Base: base, ProducerID: producerID, Attributes: 0x10 | 0x20, /* transactional, control */
		Records: []kmsg.Record{{Key: key, Value: make([]byte, 6)}},
	}
}

// Values returns one record for each value, without keys.
func Values(vals ...string) []kmsg.Record {
	recs := make([]kmsg.Record, len(vals))
	for i, v := range vals {
		recs[i].Value = []byte(v)
	}
	return recs
}

// EncodeAll returns the bytes of the batches, one after the other.
func EncodeAll(specs ...Spec) []byte {
	var out []byte
	for _, s := range specs {
		out = append(out, s.Encode()...)
	}
	return out
}

// BenchData is about 1 MiB of log batches of 100 records each, like those of a
// producer with a short linger.
func BenchData(codec string, perBatch int) (data []byte, records int) {
	for base := int64(0); len(data) < 1<<20 && records < 20_000; {
		spec := Spec{Base: base, Codec: codec, Timestamp: 1_700_000_000_000}
		for i := range perBatch {
			spec.Records = append(spec.Records, kmsg.Record{
				TimestampDelta64: int64(i),
				Key:              fmt.Appendf(nil, "user-%d", (base+int64(i))%1000),
				Value:            fmt.Appendf(nil, `{"id":%d,"text":"%s"}`, base+int64(i), bytes.Repeat([]byte("abc "), 16)),
			})
		}
		data = append(data, spec.Encode()...)
		base += int64(perBatch)
		records += perBatch
	}
	return data, records
}

// Decoded is what franz-go's decoders make of a batch.
func Decoded(t testing.TB, raw []byte) (kmsg.RecordBatch, []kmsg.Record) {
	t.Helper()
	var batch kmsg.RecordBatch
	if err := batch.ReadFrom(raw); err != nil {
		t.Fatalf("decode the batch: %v", err)
	}
	if int(batch.Length) != len(raw)-12 {
		t.Fatalf("length %d of a batch of %d bytes", batch.Length, len(raw))
	}
	if sum := crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)); uint32(batch.CRC) != sum {
		t.Fatalf("checksum %08x, want %08x", uint32(batch.CRC), sum)
	}
	if batch.Magic != 2 || batch.FirstOffset != 0 || batch.LastOffsetDelta != batch.NumRecords-1 || batch.PartitionLeaderEpoch != -1 {
		t.Fatalf("header %+v", batch)
	}
	records, err := kfake.BatchRecords(batch)
	if err != nil {
		t.Fatalf("decode the records: %v", err)
	}
	if len(records) != int(batch.NumRecords) {
		t.Fatalf("%d records where the header says %d", len(records), batch.NumRecords)
	}
	return batch, records
}

// SameMessage compares a message with decoded record i.
func SameMessage[M ~fields](message *M, base int64, i int, got kmsg.Record) error {
	m := fields(*message)
	if int(got.OffsetDelta) != i {
		return fmt.Errorf("offset delta %d, want %d", got.OffsetDelta, i)
	}
	if at := base + got.TimestampDelta64; at != m.Timestamp {
		return fmt.Errorf("timestamp %d, want %d", at, m.Timestamp)
	}
	if !sameNullable(m.Key, got.Key) || !sameNullable(m.Value, got.Value) {
		return fmt.Errorf("key %q, value %q, want %q, %q", got.Key, got.Value, m.Key, m.Value)
	}
	headers := slices.Concat(m.Headers, m.Extra)
	if len(headers) != len(got.Headers) {
		return fmt.Errorf("%d headers, want %d", len(got.Headers), len(headers))
	}
	for k, h := range headers {
		if h.Key != got.Headers[k].Key || !sameNullable(h.Value, got.Headers[k].Value) {
			return fmt.Errorf("header %d is %+v, want %+v", k, got.Headers[k], h)
		}
	}
	return nil
}

func sameNullable(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

// ManyMessages has each way a field can be, and lengths around those where a
// number takes one byte more.
func ManyMessages[M ~fields]() []M {
	const now = 1_700_000_000_000
	messages := []fields{
		{Key: []byte("k"), Value: []byte("v"), Timestamp: now, Headers: []record.Header{
			{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte{}}, {Key: "", Value: nil},
		}},
		{Timestamp: now},
		{Key: []byte{}, Value: []byte{}, Timestamp: now - 7},
		{Timestamp: -1, Value: []byte("no time")},
		{Timestamp: 0},
		{Timestamp: math.MaxInt64, Extra: []record.Header{{Key: "x", Value: []byte("y")}}},
		{Timestamp: now + 1<<40, Headers: []record.Header{{Key: "one"}}, Extra: []record.Header{{Key: "two", Value: []byte{0}}}},
	}
	for _, n := range []int{62, 63, 64, 65, 127, 128, 8191, 8192, 16383, 16384, 70_000} {
		messages = append(messages, fields{Key: make([]byte, n), Value: bytes.Repeat([]byte("v"), n), Timestamp: now + int64(n)})
	}
	long := fields{Timestamp: now}
	for i := range 100 {
		long.Headers = append(long.Headers, record.Header{Key: fmt.Sprint(i), Value: make([]byte, i)})
	}
	return convert[M](append(messages, long))
}

// RandomMessage returns a message with random fields.
func RandomMessage[M ~fields](random *rand.Rand) M {
	field := func() []byte {
		switch random.IntN(4) {
		case 0:
			return nil
		case 1:
			return []byte{}
		default:
			return make([]byte, random.IntN(1<<random.IntN(12)))
		}
	}
	headers := func() (list []record.Header) {
		for range random.IntN(3) {
			list = append(list, record.Header{Key: string(field()), Value: field()})
		}
		return list
	}
	return M(fields{
		Key: field(), Value: field(), Headers: headers(), Extra: headers(),
		Timestamp: random.Int64N(1<<random.IntN(62)+1) - 1,
	})
}

// Clone returns a copy that shares no memory with r.
func Clone(r record.Record) record.Record {
	r.Key, r.Value = bytes.Clone(r.Key), bytes.Clone(r.Value)
	if r.Headers != nil {
		headers := make([]record.Header, len(r.Headers))
		for i, h := range r.Headers {
			headers[i] = record.Header{Key: strings.Clone(h.Key), Value: bytes.Clone(h.Value)}
		}
		r.Headers = headers
	}
	return r
}

// Offsets returns the records' offsets.
func Offsets(recs []record.Record) []int64 {
	var out []int64
	for i := range recs {
		out = append(out, recs[i].Offset)
	}
	return out
}
