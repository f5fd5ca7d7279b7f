package kafka

import (
	"errors"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestUnpackingEndsWhenThereIsRoom has log batches whose sizes come as a surprise, and
// as much memory as the budget asks for before it lets one be unpacked. A batch that
// has no room even then would be tried again and again.
func TestUnpackingEndsWhenThereIsRoom(t *testing.T) {
	for codec := range codecs {
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
	batch := batchSpec{codec: codec, records: []kmsg.Record{{Value: make([]byte, size)}}}
	s, pool := setOf(t, batch.encode(), 0)
	defer s.Release()
	pool.budget = &memoryBudget{limit: limit, pool: pool, onFree: func() {}}
	s.arena.owner = &account{pool: pool}
	var b Batch
	defer b.Release()
	leave := func(free int) *buffer { return pool.get(int(pool.budget.free()) - free) }
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
		other.release()
		other = leave(s.Needs())
		if !pool.budget.unpacks(s.arena.owner, int64(s.Needs()), 1, false) {
			t.Fatal("the budget has no room with all that is needed free")
		}
	}
	if free := pool.budget.free(); free < 0 {
		t.Errorf("%d bytes are used beyond the limit", -free)
	}
	other.release()
}
