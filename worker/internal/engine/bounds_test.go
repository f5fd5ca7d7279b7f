package engine

import "testing"

func TestBoundIsShared(t *testing.T) {
	for _, tc := range []struct {
		name   string
		limit  int64
		inUse  []int64 // by each partition
		want   int64   // free for the first one
		reason string
	}{
		{"alone", 10_000, []int64{0}, 2500 + 3750, "its own and half of the rest"},
		{"the only one that reads", 10_000, []int64{0, 0, 0, 0, 0, 0, 0, 0}, 312 + 3752, "most is lent"},
		{"as much as it leaves", 10_000, []int64{312 + 3752, 0, 0, 0, 0, 0, 0, 0}, 0, "it holds half of the lent part"},
		{"beside one that has all it can get", 10_000, []int64{0, 4064, 0, 0, 0, 0, 0, 0}, 312 + 1876, "half of the rest"},
		{"beside seven that have all they can get", 10_000, []int64{0, 4064, 2188, 1250, 781, 546, 429, 371}, 312 + 29, "its own is never lent"},
		{"too little to be worth decoding", 800, []int64{0, 790}, 100, "less than an eighth is still its own"},
		{"an eighth is free", 800, []int64{350, 0}, 50, "7/8 of 400 are used"},
		{"less than an eighth is free", 800, []int64{352, 0}, 0, ""},
		{"more partitions than records", 4, []int64{0, 1, 1, 1, 1, 1}, 0, "room lets one through all the same"},
		{"beyond the limit", 100, []int64{300, 0}, 0, "one record may be larger than all bounds"},
		{"beside one beyond the limit", 100, []int64{0, 300}, 12, "its own"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			b := newBound(tc.limit, len(tc.inUse))
			for _, n := range tc.inUse {
				b.use(n)
			}
			if got := b.free(tc.inUse[0]); got != tc.want {
				t.Errorf("free is %d, want %d: %s", got, tc.want, tc.reason)
			}
		})
	}
}

// TestBoundHolds has partitions take as much as they can get, for many numbers of
// partitions. Some of them never give anything back.
func TestBoundHolds(t *testing.T) {
	const limit = 1000
	for parts := 1; parts <= 40; parts++ {
		inUse := make([]int64, parts)
		for round := range 200 {
			for i := range inUse {
				b := newBound(limit, parts)
				total := int64(0)
				for _, n := range inUse {
					b.use(n)
					total += n
				}
				if stuck := i%3 == 0; !stuck && round%2 == 1 {
					inUse[i] /= 2
					continue
				}
				free := b.free(inUse[i])
				if total+free > limit {
					t.Fatalf("%d partitions: one may have %d more beside %d of %d", parts, free, total, limit)
				}
				if inUse[i] == 0 && free < limit/int64(4*parts) {
					t.Fatalf("%d partitions: one that has nothing may have %d", parts, free)
				}
				inUse[i] += min(free, 64)
			}
		}
	}
}
