package batch

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch/batchtest"
)

// TestUnpackingEndsWhenThereIsRoom has log batches whose sizes come as a surprise, and
// as much memory as the budget asks for before it lets one be unpacked. A batch that
// has no room even then would be tried again and again.
func TestUnpackingEndsWhenThereIsRoom(t *testing.T) {
	for codec := range batchtest.Codecs {
		if codec == "none" {
			continue
		}
		for _, size := range []int{600 << 10, 1_200 << 10, 3 << 20, 5 << 20, 9 << 20} {
			t.Run(fmt.Sprintf("%s-%d", codec, size), func(t *testing.T) { unpackInLittleRoom(t, codec, size) })
		}
	}
}

func unpackInLittleRoom(t *testing.T, codec string, size int) {
	const limit = 64 << 20
	batch := batchtest.Spec{Codec: codec, Records: []kmsg.Record{{Value: make([]byte, size)}}}
	s, pool := setOf(t, batch.Encode(), 0)
	defer s.Release()
	pool.budget = &Budget{limit: limit, pool: pool, onFree: func() {}}
	s.arena.owner = &Account{pool: pool}
	var b Batch
	defer b.Release()
	leave := func(free int) *Buffer { return pool.Get(int(pool.budget.free()) - free) }
	other := leave(16 << 10) // for nothing but small batches
	for tries := 1; ; tries++ {
		if err := s.Next(&b, 1, 1<<30); err == nil {
			break
		} else if !errors.Is(err, ErrNoRoom) {
			t.Fatal(err)
		}
		if tries > 2 {
			t.Fatalf("no room after %d tries, with the %d bytes that it asks for", tries, s.Needs())
		}
		other.Release()
		other = leave(s.Needs())
		if !pool.budget.MayUnpack(s.arena.owner, int64(s.Needs()), 1, false) {
			t.Fatal("the budget has no room with all that is needed free")
		}
	}
	if free := pool.budget.free(); free < 0 {
		t.Errorf("%d bytes are used beyond the limit", -free)
	}
	other.Release()
}

// TestBatchThatUnpacksToTooMuchIsNamed has small batches that hold a lot, with a
// limit for them. Neither takes memory beyond it.
func TestBatchThatUnpacksToTooMuchIsNamed(t *testing.T) {
	const limit = 12 << 20
	for codec := range batchtest.Codecs {
		if codec == "none" {
			continue
		}
		for size, fits := range map[int]bool{10 << 20: true, 16 << 20: false} {
			batch := batchtest.Spec{Base: 7, Codec: codec, Records: []kmsg.Record{{Value: make([]byte, size)}}}.Encode()
			s, pool := setOf(t, batch, 7)
			pool.budget = &Budget{limit: limit, pool: pool, onFree: func() {}}
			s.arena.limit = limit
			if !s.Packed() {
				t.Errorf("%s: it does not say that it has to be unpacked", codec)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			var b Batch
			err := s.Next(&b, 100, 1<<30)
			runtime.ReadMemStats(&after)
			// Besides the content: what it took until it was counted, and the
			// codec's own.
			most := uint64(2*measuredBytes+measuredBytes) + 16<<20
			if fits {
				most += uint64(size)
			}
			if got := after.TotalAlloc - before.TotalAlloc; got > most {
				t.Errorf("%s of %d MiB: %d MiB were allocated, want at most %d", codec, size>>20, got>>20, most>>20)
			}
			large, isLarge := errors.AsType[*TooLargeError](err)
			switch {
			case fits && (err != nil || len(b.Records) != 1 || len(b.Records[0].Value) != size):
				t.Errorf("%s of %d MiB: %d records and %v", codec, size>>20, len(b.Records), err)
			case !fits && (!isLarge || large.Offset != 7 || large.Next != 8 || large.Limit != limit):
				t.Errorf("%s of %d MiB: got %v, want a BatchTooLargeError", codec, size>>20, err)
			case !fits:
				for _, word := range []string{`topic "orders"`, "partition 3", "offset 7", "inFlight.bytes", "12582912"} {
					if !strings.Contains(err.Error(), word) {
						t.Errorf("%q does not say %q", err, word)
					}
				}
			}
			b.Release()
			s.Release()
			if used := pool.used.Load(); used != 0 {
				t.Errorf("%s: %d bytes are still in use", codec, used)
			}
		}
	}
}
