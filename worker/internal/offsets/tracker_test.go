package offsets

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// model is the simplest Tracker: it holds every admitted offset and whether it is
// settled.
type model struct {
	start, position int64
	settled         map[int64]bool
}

func (m *model) watermark() int64 {
	for o := m.start; o < m.position; o++ {
		if !m.settled[o] {
			return o
		}
	}
	return m.position
}

// live is a span in flight with its records that still need a result.
type live struct {
	span *Span
	todo []int
}

// checkpointIsTrue fails the test unless a checkpoint agrees with the model.
func checkpointIsTrue(t *testing.T, tr *Tracker, m *model) {
	t.Helper()
	watermark, state := tr.Checkpoint()
	reached := watermark
	if len(state.Settled) > 0 && state.Settled[0].First == watermark {
		reached = state.Settled[0].Next // resumed records that are not read again yet
	}
	if want := m.watermark(); reached != want {
		t.Fatalf("watermark = %d, want %d", reached, want)
	}
	metadata := state.Encode(watermark)
	if len(metadata) > MaxMetadata {
		t.Fatalf("metadata of %d bytes", len(metadata))
	}
	decoded, err := Decode(metadata, watermark)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(decoded.Settled, state.Settled) {
		t.Fatalf("decoded %v, want %v", decoded.Settled, state.Settled)
	}
	resumed := New(watermark, decoded)
	for o := watermark; o < m.position+10; o++ {
		if got, want := resumed.Resumed(o), o < m.position && m.settled[o]; got != want {
			t.Fatalf("after a restart, Resumed(%d) = %v, want %v (watermark %d)", o, got, want, watermark)
		}
	}
}

// TestTrackerAgainstModel runs random schedules, with restarts, against the
// model.
func TestTrackerAgainstModel(t *testing.T) {
	for range 30 {
		seed := rand.Uint64()
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			rnd := rand.New(rand.NewPCG(seed, 0))
			start := rnd.Int64N(1 << 40)
			m := &model{start: start, position: start, settled: map[int64]bool{}}
			tr := New(start, State{})
			var spans []*live
			gap := 1 + rnd.IntN(4)
			for range 600 {
				switch {
				case rnd.IntN(3) == 0 && tr.Room():
					spans = append(spans, admitRandom(rnd, tr, m, gap))
				case len(spans) > 0:
					i := rnd.IntN(len(spans))
					if settleRandom(t, rnd, tr, m, spans[i]) {
						spans = slices.Delete(spans, i, i+1)
					}
				}
				if rnd.IntN(20) == 0 {
					checkpointIsTrue(t, tr, m)
				}
				if rnd.IntN(100) == 0 { // a crash: the position goes back to the watermark
					watermark, state := tr.Checkpoint()
					decoded, err := Decode(state.Encode(watermark), watermark)
					if err != nil {
						t.Fatal(err)
					}
					tr, spans = New(watermark, decoded), nil
				}
			}
		})
	}
}

// admitRandom admits records with gaps, as after compaction. Like the engine, it skips
// records that were settled before the restart.
func admitRandom(rnd *rand.Rand, tr *Tracker, m *model, gap int) *live {
	var offsets []int64
	at := tr.Position()
	for range rnd.IntN(60) {
		known := at < m.position
		gone := !known && rnd.IntN(gap) > 0
		switch {
		case gone:
			m.settled[at] = true
		case tr.Resumed(at), known && m.settled[at] && !tr.Resuming():
		case known && m.settled[at]:
			// The record was settled after the last checkpoint before a crash, or the
			// offset is a gap.
			offsets = append(offsets, at)
			delete(m.settled, at)
		default:
			offsets = append(offsets, at)
		}
		at++
	}
	l := &live{span: &Span{}}
	tr.Admit(l.span, offsets, at)
	m.position = max(m.position, at)
	for i := range offsets {
		l.todo = append(l.todo, i)
	}
	return l
}

func settleRandom(t *testing.T, rnd *rand.Rand, tr *Tracker, m *model, l *live) (retired bool) {
	for range 1 + rnd.IntN(20) {
		if len(l.todo) == 0 {
			return true
		}
		k := rnd.IntN(len(l.todo))
		i := l.todo[k]
		if rnd.IntN(3) == 0 {
			l.span.Expect(i, 1)
			if settled, _ := l.span.Done(i); settled {
				t.Fatal("settled with a result missing")
			}
		}
		offset := l.span.offsets[i]
		settled, last := l.span.Done(i)
		if !settled {
			t.Fatal("not settled with all results")
		}
		m.settled[offset] = true
		l.todo = slices.Delete(l.todo, k, k+1)
		if last != (len(l.todo) == 0) {
			t.Fatalf("last = %v with %d records left", last, len(l.todo))
		}
		if last {
			tr.Retire(l.span)
		}
	}
	return len(l.todo) == 0
}

// TestMetadataAlwaysFits settles records in patterns that are hard to encode, as long as
// the tracker has room.
func TestMetadataAlwaysFits(t *testing.T) {
	patterns := map[string]func(i int) bool{
		"every second":      func(i int) bool { return i%2 == 0 },
		"one stuck a span":  func(i int) bool { return i%MaxSpanRecords != 17 },
		"one done a span":   func(i int) bool { return i%MaxSpanRecords == 17 },
		"every ninth":       func(i int) bool { return i%9 != 0 },
		"every 65th":        func(i int) bool { return i%65 != 0 },
		"pairs":             func(i int) bool { return i%4 < 2 },
		"pseudo-random":     func(i int) bool { return (i*2654435761)>>7&1 == 0 },
		"first stuck":       func(i int) bool { return i != 0 },
		"random, mostly in": func(i int) bool { return (i*2654435761)>>9%10 == 0 },
	}
	for name, settle := range patterns {
		for _, gap := range []int64{1, 2, 3, 10, 1000, 100_000, 1 << 40} {
			t.Run(fmt.Sprint(name, " gap ", gap), func(t *testing.T) {
				tr := New(1<<55, State{})
				tr.Mark(largestMarks)
				records := 0
				for range 100 {
					s := &Span{}
					offsets := make([]int64, MaxSpanRecords)
					for i := range offsets {
						offsets[i] = tr.Position() + int64(i+1)*gap
					}
					if !tr.Fits(offsets) {
						break
					}
					tr.Admit(s, offsets, offsets[len(offsets)-1]+1)
					for i := range offsets {
						if !settle(records) {
							records++
							continue
						}
						records++
						if _, last := s.Done(i); last {
							tr.Retire(s)
						}
					}
					watermark, state := tr.Checkpoint()
					if got := len(state.Encode(watermark)); got > MaxMetadata {
						t.Fatalf("after %d records: %d bytes of metadata", records, got)
					}
				}
				if gap == 1 && records < 10_000 {
					t.Errorf("room for %d records only", records)
				}
			})
		}
	}
}

// TestAStuckRecordCostsNoMemory settles millions of records beside a stuck one.
func TestAStuckRecordCostsNoMemory(t *testing.T) {
	tr := New(0, State{})
	stuck := &Span{}
	tr.Admit(stuck, []int64{0}, 1)
	s, offsets := &Span{}, make([]int64, MaxSpanRecords)
	for range 2000 {
		if !tr.Room() {
			t.Fatal("no room beside one stuck record")
		}
		for i := range offsets {
			offsets[i] = tr.Position() + int64(i)
		}
		tr.Admit(s, offsets, offsets[0]+MaxSpanRecords)
		for i := range offsets {
			s.Done(i)
		}
		tr.Retire(s)
	}
	n := 0
	for s := tr.head; s != nil; s = s.after {
		n++
	}
	if n > 2 {
		t.Errorf("the tracker holds %d spans for one stuck record", n)
	}
	if w := tr.Watermark(); w != 0 {
		t.Errorf("watermark = %d, past a stuck record", w)
	}
	stuck.Done(0)
	tr.Retire(stuck)
	if w := tr.Watermark(); w != tr.Position() {
		t.Errorf("watermark = %d, want %d", w, tr.Position())
	}
}

// TestConcurrentSettling settles records from many goroutines while it takes
// checkpoints. No checkpoint may claim a record before its result.
func TestConcurrentSettling(t *testing.T) {
	const spans = 200
	tr := New(0, State{})
	type result struct {
		s *Span
		i int
	}
	results := make(chan result, 1024)
	var mu sync.Mutex
	begun := map[int64]bool{} // offsets whose Done has been called, or is about to be
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			for r := range results {
				mu.Lock()
				begun[r.s.offsets[r.i]] = true
				mu.Unlock()
				if _, last := r.s.Done(r.i); last {
					tr.Retire(r.s)
				}
			}
		})
	}
	stop := make(chan struct{})
	var checker sync.WaitGroup
	checker.Go(func() {
		previous := int64(0)
		for {
			select {
			case <-stop:
				return
			default:
			}
			watermark, state := tr.Checkpoint()
			if watermark < previous {
				t.Errorf("the watermark went back from %d to %d", previous, watermark)
			}
			previous = watermark
			mu.Lock()
			for _, r := range state.Settled {
				for o := r.First; o < r.Next; o++ {
					if !begun[o] {
						t.Errorf("checkpoint claims offset %d", o)
					}
				}
			}
			mu.Unlock()
		}
	})
	rnd := rand.New(rand.NewPCG(1, 2))
	for n := range spans {
		s := &Span{}
		offsets := make([]int64, 64)
		for i := range offsets {
			offsets[i] = int64(n*64 + i)
		}
		tr.Admit(s, offsets, int64(n+1)*64)
		for _, i := range rnd.Perm(64) {
			results <- result{s, i}
		}
	}
	close(results)
	workers.Wait()
	close(stop)
	checker.Wait()
	if w := tr.Watermark(); w != spans*64 {
		t.Errorf("watermark = %d, want %d", w, spans*64)
	}
}

func TestNoAllocationForEachRecord(t *testing.T) {
	tr := New(0, State{})
	s, offsets := &Span{}, make([]int64, MaxSpanRecords)
	allocs := testing.AllocsPerRun(100, func() {
		for i := range offsets {
			offsets[i] = tr.Position() + int64(i)
		}
		tr.Admit(s, offsets, offsets[0]+MaxSpanRecords)
		for i := range offsets {
			s.Expect(i, 1)
			s.Done(i)
			s.Done(i)
		}
		tr.Retire(s)
	})
	if allocs > 0 {
		t.Errorf("%.1f allocations a span", allocs)
	}
}

func BenchmarkDone(b *testing.B) {
	tr := New(0, State{})
	s, offsets := &Span{}, make([]int64, MaxSpanRecords)
	b.ReportAllocs()
	for n := 0; n < b.N; n += MaxSpanRecords {
		for i := range offsets {
			offsets[i] = tr.Position() + int64(i)
		}
		tr.Admit(s, offsets, offsets[0]+MaxSpanRecords)
		for i := range offsets {
			s.Done(i)
		}
		tr.Retire(s)
	}
}

// TestTalliesSettleTogether counts results of records in several words of the span's
// bits. Some of the records wait for more than one result.
func TestTalliesSettleTogether(t *testing.T) {
	const records = 150
	tr := New(0, State{})
	span := &Span{}
	for round := range int64(3) { // the span is reused
		var list []int64
		for i := range int64(records) {
			list = append(list, round*records+i)
		}
		tr.Admit(span, list, (round+1)*records)
		if round != 1 {
			span.Expect(70, 2)
		}
		first := span.Tally()
		for i := range records {
			if settled := first.Done(i); settled != (i != 70 || round == 1) {
				t.Fatalf("round %d, record %d: settled is %v", round, i, settled)
			}
		}
		last := first.End()
		if round != 1 {
			if w := tr.Watermark(); last || w != round*records+70 {
				t.Errorf("round %d: the watermark is %d, last is %v", round, w, last)
			}
			second := span.Tally()
			if second.Done(70) || second.End() {
				t.Errorf("round %d: record 70 is settled with a result missing", round)
			}
			third := span.Tally()
			if !third.Done(70) {
				t.Errorf("round %d: record 70 is not settled", round)
			}
			last = third.End()
		}
		if !last {
			t.Fatalf("round %d: the span is not settled", round)
		}
		tr.Retire(span)
		if w := tr.Watermark(); w != (round+1)*records {
			t.Errorf("round %d: the watermark is %d", round, w)
		}
	}
}
