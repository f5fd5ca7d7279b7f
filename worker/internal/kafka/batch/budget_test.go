package batch

import (
	"errors"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch/batchtest"
)

func testBudget(limit int64) *Budget {
	pool := NewPool(1 << 20)
	pool.budget = &Budget{limit: limit, pool: pool, onFree: func() {}}
	return pool.budget
}

// TestStuckPartitionsLeaveMemoryToOthers has partitions take all they may and
// keep it.
func TestStuckPartitionsLeaveMemoryToOthers(t *testing.T) {
	const limit, partitions, block = 64 << 20, 8, 64 << 10
	m := testBudget(limit)
	held := [3]Account{{pool: m.pool}, {pool: m.pool}, {pool: m.pool}}
	for n := range held {
		for taken := true; taken; {
			taken = false
			for i := range n + 1 {
				if m.FetchShare(&held[i], partitions) >= block {
					m.pool.GetFor(&held[i], block)
					taken = true
				}
			}
		}
		if free, want := m.free(), int64(limit>>(n+1)); free < want {
			t.Errorf("with %d partitions that are stuck %d bytes are free, want %d", n+1, free, want)
		}
	}
}

func TestOnePartitionAtATimeGoesBeyondTheLimit(t *testing.T) {
	m := testBudget(1 << 20)
	a, b := Account{pool: m.pool}, Account{pool: m.pool}
	if !m.MayExceed() || !m.Exceed(&a) {
		t.Fatal("nobody is beyond the limit, and a may not")
	}
	if !m.Exceed(&b) {
		t.Fatal("b has to wait for a, which holds nothing")
	}
	buf := m.pool.GetFor(&b, 100)
	if m.Exceed(&a) || m.MayExceed() {
		t.Fatal("a does not wait for b")
	}
	if !m.Exceed(&b) {
		t.Fatal("b has to wait for itself")
	}
	m.exceeded = time.Now().Add(-ExceedFor)
	if !m.Exceed(&a) {
		t.Fatal("a waits for b, which is stuck")
	}
	buf.Release()
	if held := b.held.Load(); held != 0 || m.pool.used.Load() != 0 {
		t.Errorf("%d bytes are held of %d", held, m.pool.used.Load())
	}
}

// TestUnusedBuffersCountTowardsTheBudget: the pool drops unused buffers for new ones.
func TestUnusedBuffersCountTowardsTheBudget(t *testing.T) {
	m := testBudget(1 << 20)
	m.pool.SetLimit(1 << 30)
	small := m.pool.Get(256 << 10)
	small.Release()
	large := m.pool.Get(1 << 20)
	if m.pool.held != 0 {
		t.Errorf("%d bytes are kept beside all that may be used", m.pool.held)
	}
	large.Release()
	if m.pool.held != 1<<20 {
		t.Errorf("%d bytes are kept, want those of the released buffer", m.pool.held)
	}
	lost := m.pool.Get(1 << 20)
	lost.lost.Store(true)
	if lost.Release(); m.pool.held != 0 || m.pool.used.Load() != 0 {
		t.Errorf("%d bytes are kept and %d used, want none of an abandoned buffer", m.pool.held, m.pool.used.Load())
	}
}

// TestDisownedMemoryDoesNotCount: memory that nobody will release must not use up the
// budget.
func TestDisownedMemoryDoesNotCount(t *testing.T) {
	m := testBudget(1 << 20)
	a := Account{pool: m.pool}
	b := m.pool.GetFor(&a, 100<<10)
	a.Close()
	if used := m.pool.used.Load(); used != 0 {
		t.Errorf("%d bytes are in use", used)
	}
	if b.Release(); m.pool.used.Load() != 0 || a.held.Load() != 0 {
		t.Errorf("%d bytes are in use after a late release, %d held", m.pool.used.Load(), a.held.Load())
	}
}

// TestUnpackingKeepsToWhatIsFree has log batches that unpack to more than is free,
// and to more than the batch before let expect. A partition unpacks one only when
// there is room for all of it, or when it may go beyond the limit.
func TestUnpackingKeepsToWhatIsFree(t *testing.T) {
	const limit = 2 << 20
	for codec := range batchtest.Codecs {
		if codec == "none" {
			continue
		}
		t.Run(codec, func(t *testing.T) {
			var batches []byte
			for i, size := range []int{100, 1 << 20} {
				batch := batchtest.Spec{Base: int64(i), Codec: codec, Records: []kmsg.Record{{Value: make([]byte, size)}}}
				batches = append(batches, batch.Encode()...)
			}
			s, pool := setOf(t, batches, 0)
			pool.budget = &Budget{limit: limit, pool: pool, onFree: func() {}}
			a := &Account{pool: pool}
			s.arena.owner = a
			var b Batch
			if err := s.Next(&b, 1, 1<<30); err != nil || len(b.Records) != 1 {
				t.Fatalf("%d records and %v of the small batch", len(b.Records), err)
			}
			other := pool.Get(1 << 20)
			if err := s.Next(&b, 1, 1<<30); !errors.Is(err, ErrNoRoom) {
				t.Fatalf("%v, with half of the memory in use", err)
			}
			if used, need := pool.used.Load(), s.Needs(); used > limit || need < 1<<20 || need > 2<<20 {
				t.Fatalf("%d bytes are in use, and %d are needed", used, need)
			}
			if !pool.budget.MayUnpack(a, int64(s.Needs()), 1, true) {
				t.Fatal("it may not go beyond the limit with nothing in flight")
			}
			if err := s.Next(&b, 1, 1<<30); err != nil || len(b.Records) != 1 {
				t.Fatalf("%d records and %v beyond the limit", len(b.Records), err)
			}
			b.Release()
			s.Release()
			other.Release()
			if used := pool.used.Load(); used != 0 {
				t.Errorf("%d bytes are still in use", used)
			}
		})
	}
}
