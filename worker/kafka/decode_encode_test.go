package kafka

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"testing"

	"github.com/segmentio/kafka-go/compress"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// codecs are the ways a log batch may be compressed. Snappy has two: a bare
// block, and the frames that Java writes.
var codecs = map[string]func([]byte) (compressed []byte, attribute int16){
	"none":          func(b []byte) ([]byte, int16) { return b, 0 },
	"gzip":          franzCodec(kgo.GzipCompression()),
	"snappy":        franzCodec(kgo.SnappyCompression()),
	"snappy-framed": framedSnappy,
	"lz4":           franzCodec(kgo.Lz4Compression()),
	"zstd":          franzCodec(kgo.ZstdCompression()),
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

func framedSnappy(b []byte) ([]byte, int16) {
	var out bytes.Buffer
	w := compress.SnappyCodec.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes(), int16(compress.Snappy)
}

// batchSpec describes a log batch that an encoder independent of this package's
// code writes.
type batchSpec struct {
	base       int64
	records    []kmsg.Record // OffsetDelta is the index if it is 0
	span       int32         // last offset delta, if above the last record's
	codec      string        // "" is none
	attributes int16
	timestamp  int64
	maxTime    int64
	producerID int64
	count      int32 // added to the number of records: a lie
	payload    []byte
}

func (s batchSpec) encode() []byte {
	payload, last := s.payload, int32(0)
	for i, rec := range s.records {
		if rec.OffsetDelta == 0 {
			rec.OffsetDelta = int32(i)
		}
		last = rec.OffsetDelta
		rec.Length = 0
		rec.Length = int32(len(rec.AppendTo(nil)) - 1)
		payload = rec.AppendTo(payload)
	}
	codec := s.codec
	if codec == "" {
		codec = "none"
	}
	payload, kind := codecs[codec](payload)
	return finish(kmsg.RecordBatch{
		FirstOffset:     s.base,
		Magic:           2,
		Attributes:      kind | s.attributes,
		LastOffsetDelta: max(last, s.span),
		FirstTimestamp:  s.timestamp,
		MaxTimestamp:    s.maxTime,
		ProducerID:      s.producerID,
		ProducerEpoch:   -1,
		FirstSequence:   -1,
		NumRecords:      int32(len(s.records)) + s.count,
		Records:         payload,
	})
}

func finish(b kmsg.RecordBatch) []byte {
	raw := b.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[8:], uint32(len(raw)-12))
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return raw
}

// resum writes the checksum anew after a test has changed a batch's bytes.
func resum(raw []byte) []byte {
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli)))
	return raw
}

func marker(base, producerID int64, kind uint16) batchSpec {
	key := binary.BigEndian.AppendUint16(make([]byte, 2), kind)
	return batchSpec{
		base: base, producerID: producerID, attributes: transactionalFlag | controlFlag,
		records: []kmsg.Record{{Key: key, Value: make([]byte, 6)}},
	}
}

func values(vals ...string) []kmsg.Record {
	recs := make([]kmsg.Record, len(vals))
	for i, v := range vals {
		recs[i].Value = []byte(v)
	}
	return recs
}

func encodeAll(specs ...batchSpec) []byte {
	var out []byte
	for _, s := range specs {
		out = append(out, s.encode()...)
	}
	return out
}

// setOf returns a set over data as if it had been asked for from offset on.
func setOf(t testing.TB, data []byte, offset int64, aborted ...abortedTransaction) (*Set, *bufferPool) {
	t.Helper()
	pool := newBufferPool(64 << 20)
	raw := pool.get(len(data))
	n := copy(raw.data, data)
	src := setSource{topic: "orders", partition: 3, offset: offset, readCommitted: true, aborted: aborted, pool: pool}
	return newSet(src, raw.data[:n], raw), pool
}
