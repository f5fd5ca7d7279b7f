package offsets

import (
	"math/rand/v2"
	"testing"
)

// TestMetadataKeepsToALimit: the map of the spans admitted under a limit fits, and the
// marks take precedence over the map.
func TestMetadataKeepsToALimit(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for _, limit := range []int{0, 5, 11, 30, 64, 256, 512, 1000, MaxMetadata} {
		tracker := New(100, State{})
		tracker.LimitMetadata(limit)
		tracker.Mark(func(m *Marks) {
			*m = Marks{Open: true, Process: 1, Reach: 200, Suspicion: &Suspicion{Next: 200, Level: 2}}
		})
		var spans []*Span
		for next := int64(100); len(spans) < 200; {
			var offsets []int64
			for range MaxSpanRecords {
				offsets = append(offsets, next)
				next += 1 + rng.Int64N(3)
			}
			if !tracker.Fits(offsets) {
				break
			}
			s := &Span{}
			tracker.Admit(s, offsets, next)
			spans = append(spans, s)
			for i := 1; i < len(offsets); i += 1 + rng.IntN(4) {
				s.Done(i)
			}
		}
		watermark, state := tracker.Checkpoint()
		metadata := state.EncodeWithin(watermark, limit)
		if len(metadata) > limit {
			t.Errorf("limit %d: %d bytes", limit, len(metadata))
		}
		got, err := Decode(metadata, watermark)
		if err != nil {
			t.Errorf("limit %d: %v", limit, err)
		}
		if whole := len(got.Settled) == len(state.Settled); whole != HoldsMap(limit) {
			t.Errorf("limit %d: %d of %d ranges are in the metadata", limit, len(got.Settled), len(state.Settled))
		}
		if marks := got.Open && got.Suspicion != nil; marks != (limit >= 30) {
			t.Errorf("limit %d: the marks are in the metadata: %v", limit, marks)
		}
		if bounded := len(spans) < 200; bounded != HoldsMap(limit) {
			t.Errorf("limit %d: %d spans were admitted", limit, len(spans))
		}
	}
}
