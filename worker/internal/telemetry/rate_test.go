package telemetry

import (
	"testing"
	"time"
)

func TestRateIsTheMeanOverTheWindow(t *testing.T) {
	var r Rate
	if got := r.PerSecond(); got != 0 {
		t.Errorf("rate without samples = %v", got)
	}
	now, total := time.Unix(1000, 0), 0.0
	sample := func(seconds int, each float64) {
		for range seconds {
			now = now.Add(time.Second)
			total += each
			r.Sample(now, total)
		}
	}
	sample(30, 50)
	if got := r.PerSecond(); got != 50 {
		t.Errorf("steady rate = %v, want 50", got)
	}
	sample(5, 150)
	if got := r.PerSecond(); got != 100 {
		t.Errorf("rate of half a window at 50, half at 150 = %v, want 100", got)
	}
	sample(10, 0)
	if got := r.PerSecond(); got != 0 {
		t.Errorf("rate after an idle window = %v, want 0", got)
	}
	if len(r.samples) > 12 {
		t.Errorf("%d samples are kept", len(r.samples))
	}
}

func TestRateOfAYoungWorker(t *testing.T) {
	var r Rate
	now := time.Unix(1000, 0)
	r.Sample(now, 0)
	if got := r.PerSecond(); got != 0 {
		t.Errorf("rate of one sample = %v", got)
	}
	r.Sample(now.Add(2*time.Second), 10)
	if got := r.PerSecond(); got != 5 {
		t.Errorf("rate = %v, want 5", got)
	}
}

// TestRateOfSamplesAtOneMoment: the rate must be a number, because JSON can't hold NaN.
func TestRateOfSamplesAtOneMoment(t *testing.T) {
	var r Rate
	now := time.Unix(1000, 0)
	r.Sample(now, 1)
	r.Sample(now, 1)
	if got := r.PerSecond(); got != 0 {
		t.Errorf("rate = %v, want 0", got)
	}
}
