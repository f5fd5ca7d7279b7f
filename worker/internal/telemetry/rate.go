package telemetry

import (
	"sync"
	"time"
)

// rateWindow is the time over which a Rate is averaged.
const rateWindow = 10 * time.Second

// Rate is the mean rate of a growing total over the last ten seconds. It is
// safe for concurrent use.
type Rate struct {
	mu sync.Mutex
	// samples holds those of the last rateWindow and the one before it; guarded by mu.
	samples []sample
}

type sample struct {
	at    time.Time
	total float64
}

// Sample notes the total at a time. The caller calls it about once a second.
func (r *Rate) Sample(now time.Time, total float64) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.samples = append(r.samples, sample{now, total})
	old := 0
	for old+1 < len(r.samples) && now.Sub(r.samples[old+1].at) >= rateWindow {
		old++
	}
	r.samples = append(r.samples[:0], r.samples[old:]...)
}

// PerSecond returns the rate; 0 before the second sample.
func (r *Rate) PerSecond() float64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.samples) < 2 {
		return 0
	}
	first, last := r.samples[0], r.samples[len(r.samples)-1]
	elapsed := last.at.Sub(first.at)
	if elapsed <= 0 {
		return 0 // JSON can't hold the quotient, which is not a number
	}
	return (last.total - first.total) / elapsed.Seconds()
}
