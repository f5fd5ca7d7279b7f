package batch

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

func TestBufferSizes(t *testing.T) {
	p := NewPool(1 << 30)
	for n, want := range map[int]int{0: 4 << 10, 1: 4 << 10, 4 << 10: 4 << 10, 4<<10 + 1: 8 << 10, 1 << 20: 1 << 20, 4 << 20: 4 << 20, 4<<20 + 1: 4<<20 + 1} {
		b := p.Get(n)
		if len(b.data) != want {
			t.Errorf("for %d bytes: %d, want %d", n, len(b.data), want)
		}
		b.Release()
	}
	if p.held != 4<<10+8<<10+1<<20+4<<20 {
		t.Errorf("%d bytes are held", p.held)
	}
}

func TestBuffersAreReusedWhenTheLastHolderIsDone(t *testing.T) {
	p := NewPool(1 << 20)
	b := p.Get(100)
	b.retain()
	b.Release()
	if other := p.Get(100); other == b {
		t.Fatal("a held buffer was handed out")
	}
	b.Release()
	if again := p.Get(100); again != b {
		t.Fatal("a released buffer was not reused")
	}
}

func TestReleasingTwicePanics(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("no panic")
		}
	}()
	b := NewPool(0).Get(1)
	b.Release()
	b.Release()
}

func TestPoolKeepsToItsLimit(t *testing.T) {
	p := NewPool(1 << 20)
	var small, large []*Buffer
	for range 300 {
		small = append(small, p.Get(4<<10))
	}
	for range 3 {
		large = append(large, p.Get(512<<10))
	}
	for _, b := range slices.Concat(small, large) {
		b.Release()
		if p.held > 1<<20 {
			t.Fatalf("%d bytes are held", p.held)
		}
	}
	// The large buffers were released last, so the pool drops small ones for them.
	if b := p.Get(512 << 10); b != large[2] {
		t.Error("the large buffers were not kept")
	}
	p.SetLimit(0)
	if p.held != 0 {
		t.Errorf("%d bytes are held with a limit of 0", p.held)
	}
	if p.Get(5 << 20).Release(); p.held != 0 {
		t.Error("a buffer above the largest class is held")
	}
}

// TestBuffersUnderContention has goroutines share buffers; each writes its mark
// where it may and finds it again.
func TestBuffersUnderContention(t *testing.T) {
	p := NewPool(256 << 10)
	seed := rand.Uint64()
	var tasks sync.WaitGroup
	for worker := range 4 {
		tasks.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(worker)))
			for range 2000 {
				b := p.Get(random.IntN(64 << 10))
				b.data[0] = byte(worker)
				b.retain()
				var reader sync.WaitGroup
				reader.Go(func() {
					if b.data[0] != byte(worker) {
						t.Errorf("seed %d: a buffer in use was handed out", seed)
					}
					b.Release()
				})
				b.Release()
				reader.Wait()
			}
		})
	}
	tasks.Wait()
}
