package telemetry

import (
	"strings"
	"testing"
	"time"
)

// watched is a Health with a clock and a worker that the test controls.
type watched struct {
	*Health
	progress Progress
	clock    time.Time
}

func watch(timeout time.Duration) *watched {
	w := &watched{clock: time.Unix(1000, 0)}
	w.Health = NewHealth(timeout, func() Progress { return w.progress })
	w.now = func() time.Time { return w.clock }
	return w
}

func (w *watched) after(d time.Duration) error {
	w.clock = w.clock.Add(d)
	return w.Check()
}

func TestHealthFailsWhenNothingMoves(t *testing.T) {
	w := watch(time.Minute)
	w.progress = Progress{Work: true, Moved: 1, Stuck: "partition 3 waits for offset 17"}
	if err := w.after(time.Second); err != nil {
		t.Fatalf("at the start: %v", err)
	}
	if err := w.after(59 * time.Second); err != nil {
		t.Errorf("before the timeout: %v", err)
	}
	err := w.after(time.Second)
	if err == nil {
		t.Fatal("healthy although nothing has moved for the timeout")
	}
	for _, want := range []string{"1m0s", "partition 3 waits for offset 17"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("error %q does not contain %q", err, want)
		}
	}
	w.progress.Moved++
	if err := w.after(time.Second); err != nil {
		t.Errorf("after a move: %v", err)
	}
	if err := w.after(59 * time.Second); err != nil {
		t.Errorf("progress does not start the time again: %v", err)
	}
}

func TestHealthOfAnIdleWorker(t *testing.T) {
	w := watch(time.Minute)
	for range 5 {
		if err := w.after(time.Hour); err != nil {
			t.Fatalf("idle: %v", err)
		}
	}
}

// TestHealthOfWorkThatHasJustCome: work that arrived a moment ago has not stalled, even
// if nothing moved, or nobody called Check, for a long time before.
func TestHealthOfWorkThatHasJustCome(t *testing.T) {
	w := watch(time.Minute)
	if err := w.after(time.Second); err != nil {
		t.Fatal(err)
	}
	w.progress.Work = true
	if err := w.after(time.Hour); err != nil {
		t.Errorf("at the first look at new work: %v", err)
	}
	if err := w.after(time.Minute); err == nil {
		t.Error("healthy although the new work has not moved for the timeout")
	}
}

// TestHealthWhileWorkWaits: the time of an attempt or a backoff does not count; the
// timeout starts when it ends.
func TestHealthWhileWorkWaits(t *testing.T) {
	w := watch(time.Minute)
	w.progress = Progress{Work: true, Waits: true, Moved: 1}
	for range 5 {
		if err := w.after(time.Hour); err != nil {
			t.Fatalf("while an attempt runs: %v", err)
		}
	}
	w.progress.Waits = false
	if err := w.after(time.Hour); err != nil {
		t.Errorf("at the first look after the wait: %v", err)
	}
	if err := w.after(time.Minute); err == nil {
		t.Error("healthy although nothing has moved for the timeout since the wait ended")
	}
}
