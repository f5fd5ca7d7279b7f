package kafka

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/segmentio/kafka-go/compress"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/record"
)

// fill returns a batch of the messages in memory of its own.
func fill(t testing.TB, pool *bufferPool, messages []Message) *builder {
	t.Helper()
	b := &builder{}
	b.start(pool.get(batchHeaderSize), 1<<30)
	for i := range messages {
		m := &messages[i]
		shape := b.measure(m)
		if end := b.end + shape.size(); end > len(b.data) {
			b.grow(pool.get(end), 1<<30)
		}
		before := b.end
		b.write(m, shape, Origin{Owner: t, Index: int32(i)})
		if b.end-before != shape.size() {
			t.Fatalf("message %d took %d bytes where %d were measured", i, b.end-before, shape.size())
		}
	}
	return b
}

// decoded is what franz-go's decoders make of a batch.
func decoded(t testing.TB, raw []byte) (kmsg.RecordBatch, []kmsg.Record) {
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

// sameMessage compares a message with what was decoded as record i.
func sameMessage(m *Message, base int64, i int, got kmsg.Record) error {
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

// manyMessages has each way a field can be, and lengths around those where a
// number takes one byte more.
func manyMessages() []Message {
	const now = 1_700_000_000_000
	messages := []Message{
		{Key: []byte("k"), Value: []byte("v"), Timestamp: now, Headers: []record.Header{
			{Key: "a", Value: []byte("1")}, {Key: "a", Value: []byte{}}, {Key: "", Value: nil},
		}},
		{Timestamp: now},
		{Key: []byte{}, Value: []byte{}, Timestamp: now - 7},
		{Timestamp: noTimestamp, Value: []byte("no time")},
		{Timestamp: 0},
		{Timestamp: math.MaxInt64, Extra: []record.Header{{Key: "x", Value: []byte("y")}}},
		{Timestamp: now + 1<<40, Headers: []record.Header{{Key: "one"}}, Extra: []record.Header{{Key: "two", Value: []byte{0}}}},
	}
	for _, n := range []int{62, 63, 64, 65, 127, 128, 8191, 8192, 16383, 16384, 70_000} {
		messages = append(messages, Message{Key: make([]byte, n), Value: bytes.Repeat([]byte("v"), n), Timestamp: now + int64(n)})
	}
	long := Message{Timestamp: now}
	for i := range 100 {
		long.Headers = append(long.Headers, record.Header{Key: fmt.Sprint(i), Value: make([]byte, i)})
	}
	return append(messages, long)
}

func TestEveryCodecIsReadByOthers(t *testing.T) {
	for name, codec := range map[string]compress.Compression{
		"none": compress.None, "gzip": compress.Gzip, "snappy": compress.Snappy, "lz4": compress.Lz4, "zstd": compress.Zstd,
	} {
		t.Run(name, func(t *testing.T) {
			messages := manyMessages()
			pool := newBufferPool(1 << 22)
			b := fill(t, pool, messages)
			if codec != compress.None {
				if err := b.pack(codec, pool); err != nil {
					t.Fatal(err)
				}
			}
			b.finish(producerIdentity{id: 77, epoch: 3}, 1234)
			batch, records := decoded(t, b.wire())
			if batch.Attributes != int16(codec) || batch.ProducerID != 77 || batch.ProducerEpoch != 3 || batch.FirstSequence != 1234 {
				t.Errorf("header %+v", batch)
			}
			if batch.FirstTimestamp != messages[0].Timestamp || batch.MaxTimestamp != math.MaxInt64 {
				t.Errorf("timestamps %d and %d", batch.FirstTimestamp, batch.MaxTimestamp)
			}
			for i := range messages {
				if err := sameMessage(&messages[i], batch.FirstTimestamp, i, records[i]); err != nil {
					t.Errorf("record %d: %v", i, err)
				}
			}
		})
	}
}

// A reader of lz4 takes the memory of a block for each batch.
func TestLZ4BlocksAreSmall(t *testing.T) {
	pool := newBufferPool(1 << 20)
	for range 2 { // the second writer comes from a pool
		b := fill(t, pool, []Message{{Value: bytes.Repeat([]byte("a"), 200_000)}})
		if err := b.pack(compress.Lz4, pool); err != nil {
			t.Fatal(err)
		}
		frame := b.wire()[batchHeaderSize:]
		if magic, size := binary.LittleEndian.Uint32(frame), frame[5]; magic != 0x184D2204 || size != 4<<4 {
			t.Errorf("magic %x, block size %x", magic, size)
		}
		b.finish(producerIdentity{}, 0)
		decoded(t, b.wire())
	}
}

func TestWhatCompressionMakesLargerStaysAsItIs(t *testing.T) {
	noise := make([]byte, 5000)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	pool := newBufferPool(1 << 20)
	b := fill(t, pool, []Message{{Value: noise, Timestamp: 1}})
	if err := b.pack(compress.Gzip, pool); err != nil {
		t.Fatal(err)
	}
	b.finish(producerIdentity{}, 0)
	batch, records := decoded(t, b.wire())
	if batch.Attributes != 0 || !bytes.Equal(records[0].Value, noise) {
		t.Errorf("attributes %d, %d bytes", batch.Attributes, len(records[0].Value))
	}
}

func TestRandomMessagesAreReadByOthers(t *testing.T) {
	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	for round := range 50 {
		messages := make([]Message, 1+random.IntN(200))
		for i := range messages {
			messages[i] = randomMessage(random)
		}
		b := fill(t, newBufferPool(1<<22), messages)
		b.finish(producerIdentity{id: 1}, 5)
		batch, records := decoded(t, b.wire())
		for i := range messages {
			if err := sameMessage(&messages[i], batch.FirstTimestamp, i, records[i]); err != nil {
				t.Fatalf("seed %d, round %d, record %d: %v", seed, round, i, err)
			}
		}
	}
}

func randomMessage(random *rand.Rand) Message {
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
	return Message{
		Key: field(), Value: field(), Headers: headers(), Extra: headers(),
		Timestamp: random.Int64N(1<<random.IntN(62)+1) - 1,
	}
}

func TestVarintSizes(t *testing.T) {
	var room [16]byte
	check := func(v int64) {
		if end := putVarint(room[:], 0, v); end != varintSize(v) {
			t.Errorf("%d takes %d bytes, its size is said to be %d", v, end, varintSize(v))
		}
		u, _ := uvarint(room[:], 0)
		if got := zigzag(u); got != v {
			t.Errorf("%d is read back as %d", v, got)
		}
	}
	for shift := range 64 {
		for _, v := range []int64{1<<shift - 1, 1 << shift, 1<<shift + 1} {
			check(v)
			check(-v)
		}
	}
	check(math.MinInt64)
	check(math.MaxInt64)
}

func TestSequencesWrapAsKafkas(t *testing.T) {
	for _, c := range []struct{ sequence, count, want int32 }{
		{0, 0, 0}, {0, 5, 5}, {math.MaxInt32 - 1, 1, math.MaxInt32}, {math.MaxInt32, 1, 0}, {math.MaxInt32 - 2, 5, 2},
	} {
		if got := sequenceAfter(c.sequence, c.count); got != c.want {
			t.Errorf("%d records from %d on: got %d, want %d", c.count, c.sequence, got, c.want)
		}
	}
}
