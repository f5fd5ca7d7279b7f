package scaling

import (
	"slices"
	"testing"
	"time"
)

func TestMeasure(t *testing.T) {
	for _, c := range []struct {
		name     string
		chapters []chapter
		lag      int64
		seconds  int64 // -1 for nil
		stuck    []int32
	}{
		{"no sample", nil, 0, 0, nil},
		{"nothing to process", []chapter{pods(0, 5*time.Second, each(0), each(0))}, 0, 0, nil},
		{"no rate is known yet", []chapter{pods(1, 5*time.Second, each(1), each(0))}, 20, -1, nil},
		{"nothing is processed", []chapter{pods(0, 5*minute, each(1), each(0))}, 1200, -1, nil},
		{"at the present rate", []chapter{pods(1, 5*minute, each(20), each(10))}, 12000, 300, nil},
		{"the worst partition", []chapter{pods(1, 5*minute, each(20), []float64{10, 20, 20, 20})}, 3000, 300, nil},
		{"a stuck one aside", []chapter{pods(1, 5*minute, each(20), []float64{0, 10, 20, 20})}, 9000, 300, []int32{0}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h, _ := tell(c.chapters...)
			m := Measure(h)
			if len(c.chapters) == 0 {
				if m.Saturation >= 0 || m.LagSeconds != nil {
					t.Errorf("got %+v", m)
				}
				return
			}
			got := int64(-1)
			if m.LagSeconds != nil {
				got = *m.LagSeconds
			}
			if m.Lag != c.lag || got != c.seconds || !slices.Equal(m.Stuck, c.stuck) {
				t.Errorf("got lag %d, %d s, stuck %v; want %d, %d, %v", m.Lag, got, m.Stuck, c.lag, c.seconds, c.stuck)
			}
		})
	}
}

func TestLag(t *testing.T) {
	for _, c := range []struct {
		name   string
		latest bool
		p      Partition
		lag    int64
	}{
		{"committed", false, Partition{Start: 2, End: 10, Committed: 7}, 3},
		{"nothing committed, from the start", false, Partition{Start: 2, End: 10, Committed: -1}, 8},
		{"nothing committed, from the end", true, Partition{Start: 2, End: 10, Committed: -1}, 0},
		{"committed, from the end", true, Partition{Start: 2, End: 10, Committed: 7}, 3},
		{"deleted since", false, Partition{Start: 6, End: 10, Committed: 3}, 4},
		{"topic created again", false, Partition{End: 10, Committed: 30}, 0},
	} {
		s := Sample{StartsLatest: c.latest}
		if got := s.lag(c.p); got != c.lag {
			t.Errorf("%s: got %d, want %d", c.name, got, c.lag)
		}
	}
}

// TestWakesThoughReadFromTheEnd checks that records wake a pod even where the workers
// would start at the end of a partition, so that the records do not show as lag.
func TestWakesThoughReadFromTheEnd(t *testing.T) {
	h := new(History)
	for i := range int64(2) {
		h.Append(Sample{
			At: begin.Add(time.Duration(i) * time.Second), StartsLatest: true,
			Partitions: []Partition{{End: 5 + i, Committed: -1}},
		})
	}
	d := Decide(Input{History: h, Policy: Policy{Max: 3}, Partitions: 1, Now: begin, KafkaReachable: true})
	if d.To != 1 || d.Reason != NewRecords {
		t.Errorf("got %+v", d)
	}
}

func TestHistoryIsBounded(t *testing.T) {
	h := new(History)
	for i := range 100_000 {
		h.Append(Sample{At: begin.Add(time.Duration(i) * 300 * time.Millisecond)})
	}
	if n := len(h.samples); n > 130 || n < 80 {
		t.Errorf("the History keeps %d samples, want 80 to 130", n)
	}
	if covered := span(h.samples); covered < keep-roughSpacing || covered > keep {
		t.Errorf("the samples cover %v, want about %v", covered, keep)
	}
	if last := h.samples[len(h.samples)-1]; !last.At.Equal(begin.Add(99_999 * 300 * time.Millisecond)) {
		t.Errorf("the last sample is of %v, want that of the last Append", last.At)
	}
	h.Append(Sample{At: begin, Replicas: 7})
	if h.samples[len(h.samples)-1].Replicas == 7 {
		t.Error("Append took an old sample for the newest")
	}
}
