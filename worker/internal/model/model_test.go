package model

import (
	"flag"
	"testing"
	"time"
)

var (
	duration = flag.Duration("for", 0, "how long to run random schedules; 0 is what a test run needs")
	seed     = flag.Uint64("seed", 0, "the schedule to repeat; 0 is all")
)

// TestWorkers runs whole workers through random schedules.
func TestWorkers(t *testing.T) {
	if *seed != 0 {
		newPlan(*seed).run(t)
		return
	}
	begun := time.Now()
	n := uint64(0)
	for !t.Failed() && (*duration == 0 && n < 30 || time.Since(begun) < *duration) {
		n++
		newPlan(n).run(t)
	}
	t.Logf("%d schedules in %v", n, time.Since(begun).Round(time.Millisecond))
}
