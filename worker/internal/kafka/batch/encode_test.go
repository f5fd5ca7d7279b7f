package batch

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/segmentio/kafka-go/compress"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch/batchtest"
)

// fill returns a batch of the messages in new memory.
func fill(t testing.TB, pool *Pool, messages []Message) *Builder {
	t.Helper()
	b := &Builder{}
	b.Start(pool.Get(batchHeaderSize), 1<<30)
	for i := range messages {
		m := &messages[i]
		shape := b.Measure(m)
		if end := b.end + shape.Size(); end > len(b.data) {
			b.Grow(pool.Get(end), 1<<30)
		}
		before := b.end
		b.Append(m, shape, Origin{Owner: t, Index: int32(i)})
		if b.end-before != shape.Size() {
			t.Fatalf("message %d took %d bytes where %d were measured", i, b.end-before, shape.Size())
		}
	}
	return b
}

func TestEveryCodecIsReadByOthers(t *testing.T) {
	for name, codec := range map[string]compress.Compression{
		"none": compress.None, "gzip": compress.Gzip, "snappy": compress.Snappy, "lz4": compress.Lz4, "zstd": compress.Zstd,
	} {
		t.Run(name, func(t *testing.T) {
			messages := batchtest.ManyMessages[Message]()
			pool := NewPool(1 << 22)
			b := fill(t, pool, messages)
			if codec != compress.None {
				if err := b.Pack(codec, pool); err != nil {
					t.Fatal(err)
				}
			}
			b.Finish(Identity{ID: 77, Epoch: 3}, 1234)
			batch, records := batchtest.Decoded(t, b.Encoded())
			if batch.Attributes != int16(codec) || batch.ProducerID != 77 || batch.ProducerEpoch != 3 || batch.FirstSequence != 1234 {
				t.Errorf("header %+v", batch)
			}
			if batch.FirstTimestamp != messages[0].Timestamp || batch.MaxTimestamp != math.MaxInt64 {
				t.Errorf("timestamps %d and %d", batch.FirstTimestamp, batch.MaxTimestamp)
			}
			for i := range messages {
				if err := batchtest.SameMessage(&messages[i], batch.FirstTimestamp, i, records[i]); err != nil {
					t.Errorf("record %d: %v", i, err)
				}
			}
		})
	}
}

// A reader of lz4 takes the memory of a block for each batch.
func TestLZ4BlocksAreSmall(t *testing.T) {
	pool := NewPool(1 << 20)
	for range 2 { // the second writer comes from a pool
		b := fill(t, pool, []Message{{Value: bytes.Repeat([]byte("a"), 200_000)}})
		if err := b.Pack(compress.Lz4, pool); err != nil {
			t.Fatal(err)
		}
		frame := b.Encoded()[batchHeaderSize:]
		if magic, size := binary.LittleEndian.Uint32(frame), frame[5]; magic != 0x184D2204 || size != 4<<4 {
			t.Errorf("magic %x, block size %x", magic, size)
		}
		b.Finish(Identity{}, 0)
		batchtest.Decoded(t, b.Encoded())
	}
}

func TestWhatCompressionMakesLargerStaysAsItIs(t *testing.T) {
	noise := make([]byte, 5000)
	for i := range noise {
		noise[i] = byte(rand.Uint32())
	}
	pool := NewPool(1 << 20)
	b := fill(t, pool, []Message{{Value: noise, Timestamp: 1}})
	if err := b.Pack(compress.Gzip, pool); err != nil {
		t.Fatal(err)
	}
	b.Finish(Identity{}, 0)
	batch, records := batchtest.Decoded(t, b.Encoded())
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
			messages[i] = batchtest.RandomMessage[Message](random)
		}
		b := fill(t, NewPool(1<<22), messages)
		b.Finish(Identity{ID: 1}, 5)
		batch, records := batchtest.Decoded(t, b.Encoded())
		for i := range messages {
			if err := batchtest.SameMessage(&messages[i], batch.FirstTimestamp, i, records[i]); err != nil {
				t.Fatalf("seed %d, round %d, record %d: %v", seed, round, i, err)
			}
		}
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
		if got := SequenceAfter(c.sequence, c.count); got != c.want {
			t.Errorf("%d records from %d on: got %d, want %d", c.count, c.sequence, got, c.want)
		}
	}
}
