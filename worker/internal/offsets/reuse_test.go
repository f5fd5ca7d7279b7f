package offsets

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

// TestSpansAreReusedWhileCheckpointsAreTaken settles records from several goroutines,
// admits each span again as soon as it is retired, and restarts from the last
// checkpoint. No checkpoint may claim a record before its last result.
func TestSpansAreReusedWhileCheckpointsAreTaken(t *testing.T) {
	const records, each = 60_000, 32
	type result struct {
		s      *Span
		i      int
		offset int64
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	tr := New(0, State{})
	var begun [records]atomic.Bool
	free := make(chan *Span, 64)
	for range cap(free) {
		free <- &Span{}
	}
	results := make([]chan result, 4) // of one record to different goroutines
	var settlers sync.WaitGroup
	for g := range results {
		results[g] = make(chan result, 256)
		settlers.Go(func() {
			for r := range results[g] {
				begun[r.offset].Store(true)
				if _, last := r.s.Done(r.i); last {
					tr.Retire(r.s)
					free <- r.s
				}
			}
		})
	}
	stop := make(chan struct{})
	var checker sync.WaitGroup
	checker.Go(func() {
		for previous := int64(0); ; {
			select {
			case <-stop:
				return
			default:
			}
			watermark, state := tr.Checkpoint()
			if watermark < previous {
				t.Errorf("the watermark went back from %d to %d", previous, watermark)
			}
			for o := previous; o < watermark; o++ {
				if !begun[o].Load() {
					t.Errorf("the watermark %d passed offset %d", watermark, o)
					return
				}
			}
			previous = watermark
			if err := claimsOnly(state, watermark, func(o int64) bool { return begun[o].Load() }); err != nil {
				t.Error(err)
				return
			}
		}
	})
	rnd := rand.New(rand.NewPCG(seed, 0))
	for first := int64(0); first+each <= records; first += each {
		s := <-free
		offsets := make([]int64, each)
		for i := range offsets {
			offsets[i] = first + int64(i)
		}
		tr.Admit(s, offsets, first+each)
		for _, i := range rnd.Perm(each) {
			results[rnd.IntN(len(results))] <- result{s, i, offsets[i]}
		}
	}
	for _, c := range results {
		close(c)
	}
	settlers.Wait()
	close(stop)
	checker.Wait()
	if w, p := tr.Watermark(), tr.Position(); w != p {
		t.Errorf("watermark = %d, want %d", w, p)
	}
}

// claimsOnly decodes the metadata of a checkpoint and checks each offset that it claims.
func claimsOnly(state State, watermark int64, settled func(int64) bool) error {
	back, err := Decode(state.Encode(watermark), watermark)
	if err != nil {
		return err
	}
	for _, r := range back.Settled {
		for o := r.First; o < r.Next; o++ {
			if !settled(o) {
				return fmt.Errorf("a checkpoint at %d claims offset %d", watermark, o)
			}
		}
	}
	return nil
}

// TestMetadataFitsAfterRestarts fills the metadata, crashes, and reads the same records
// in chunks of other sizes, several times.
func TestMetadataFitsAfterRestarts(t *testing.T) {
	for range 40 {
		seed := rand.Uint64()
		rnd := rand.New(rand.NewPCG(seed, 0))
		log := make([]int64, 40_000)
		far := 1 << rnd.IntN(12)
		for i := 1; i < len(log); i++ {
			log[i] = log[i-1] + 1 + int64(rnd.IntN(far))*int64(rnd.IntN(2))
		}
		tr, keep := New(0, State{}), 2+rnd.IntN(40)
		for range 4 {
			at, n := 0, 1+rnd.IntN(MaxSpanRecords)
			for at < len(log) && log[at] < tr.Position() {
				at++
			}
			for at+n < len(log) {
				var offsets []int64
				for _, o := range log[at : at+n] {
					if !tr.Resumed(o) {
						offsets = append(offsets, o)
					}
				}
				if !tr.Fits(offsets) {
					break
				}
				s := &Span{}
				tr.Admit(s, offsets, log[at+n-1]+1)
				at += n
				for i := range offsets {
					if rnd.IntN(keep) == 0 {
						continue
					}
					if _, last := s.Done(i); last {
						tr.Retire(s)
					}
				}
			}
			tr.Mark(largestMarks)
			watermark, state := tr.Checkpoint()
			metadata := state.Encode(watermark)
			if len(metadata) > MaxMetadata {
				t.Fatalf("seed %d: %d bytes of metadata", seed, len(metadata))
			}
			back, err := Decode(metadata, watermark)
			if err != nil {
				t.Fatalf("seed %d: %v", seed, err)
			}
			tr = New(watermark, back)
		}
	}
}
