package engine

import "testing"

// TestOvertakenCountsEachOffsetOnce: losses that overlap, and offsets that a commit after
// the first loss has as settled.
func TestOvertakenCountsEachOffsetOnce(t *testing.T) {
	none := func(int64, int64) int64 { return 0 }
	var o overtaken
	log := lostLog{partition: 3}
	for _, c := range []struct {
		lost    span
		settled func(first, next int64) int64
		want    int64
	}{
		{span{100, 150}, none, 0},
		{span{300, 310}, none, 0},
		{span{80, 200}, none, 50},  // the first one again, and more on both sides
		{span{190, 320}, none, 20}, // the ends of both
		{span{80, 320}, none, 240}, // everything
		{span{80, 400}, func(first, next int64) int64 { return min(next, 180) - first }, 140},
	} {
		if got := o.add(log, c.lost, c.settled); got != c.want {
			t.Errorf("of %+v, %d offsets were counted before, want %d", c.lost, got, c.want)
		}
	}
	if got := o.add(lostLog{partition: 4}, span{0, 1000}, none); got != 0 {
		t.Errorf("%d offsets of another partition were counted before", got)
	}
}
