package telemetry

import (
	"math"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
)

func collected(t *testing.T, h *Histogram) *dto.Histogram {
	t.Helper()
	ch := make(chan prometheus.Metric, 1)
	h.Collect(ch)
	var m dto.Metric
	if err := (<-ch).Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.GetHistogram()
}

func TestHistogramTakesManyAtOnce(t *testing.T) {
	h := newHistogram("millrace_test_seconds", "A test's.")
	h.Observe(2*time.Millisecond, 500)
	h.Observe(time.Second, 1)
	h.Observe(time.Hour, 3)
	h.Observe(-time.Second, 2) // written by a clock ahead of ours
	got := collected(t, h)
	if got.GetSampleCount() != 506 {
		t.Errorf("count = %d, want 506", got.GetSampleCount())
	}
	if sum := got.GetSampleSum(); math.Abs(sum-(1+1+3*3600)) > 1e-6 {
		t.Errorf("sum = %v s, want %v", sum, 1+1+3*3600)
	}
	for _, b := range got.GetBucket() {
		want := uint64(2)
		if b.GetUpperBound() >= 2.5e-3 {
			want += 500
		}
		if b.GetUpperBound() >= 1 { // a bound belongs to its bucket
			want++
		}
		if b.GetCumulativeCount() != want {
			t.Errorf("bucket %v = %d, want %d", b.GetUpperBound(), b.GetCumulativeCount(), want)
		}
	}
}

// TestHistogramOfOldRecords observes records that are a year old, as when a group starts
// at the earliest offset. The sum must not overflow.
func TestHistogramOfOldRecords(t *testing.T) {
	h := newHistogram("millrace_test_seconds", "A test's.")
	const year = 365 * 24 * time.Hour
	for range 2000 {
		h.Observe(year, 512)
	}
	want := year.Seconds() * 512 * 2000
	if sum := collected(t, h).GetSampleSum(); math.Abs(sum-want) > want*1e-9 {
		t.Errorf("sum = %v s, want %v", sum, want)
	}
}

func TestHistogramIsSafeForConcurrentUse(t *testing.T) {
	h := newHistogram("millrace_test_seconds", "A test's.")
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 5000 {
				h.Observe(time.Second, 2)
			}
		})
	}
	all.Go(func() {
		for range 50 {
			collected(t, h)
		}
	})
	all.Wait()
	if got := collected(t, h); got.GetSampleCount() != 40_000 || got.GetSampleSum() != 40_000 {
		t.Errorf("count %d, sum %v; want 40000 each", got.GetSampleCount(), got.GetSampleSum())
	}
}
