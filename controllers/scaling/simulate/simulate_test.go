package simulate

import (
	"testing"
	"time"

	"github.com/millrace-dev/millrace/controllers/scaling"
)

// TestPromises checks the promises of the autoscaling on every run.
func TestPromises(t *testing.T) {
	for _, s := range Scenarios() {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			run := Play(s)
			bounded(t, run)
			if behind := run.Behind(); behind > s.Expect.CatchUp {
				t.Errorf("records waited longer than the target for %v, want at most %v", behind, s.Expect.CatchUp)
			}
			if turns := run.Turns(); turns > s.Expect.Turns {
				t.Errorf("the pods went up and down %d times, want at most %d", turns, s.Expect.Turns)
			}
			if raises := run.Raises(); s.Expect.Raises > 0 && raises > s.Expect.Raises {
				t.Errorf("%d raises, want at most %d", raises, s.Expect.Raises)
			}
			if s.Policy.Vertical.Max > 0 {
				resized(t, run)
			}
			own, best := run.ReplicaHours()
			if own > s.Expect.Cost*best {
				t.Errorf("%.2f replica-hours are %.2f times the oracle's %.2f, want at most %.2f", own, own/best, best, s.Expect.Cost)
			}
			if t.Failed() || testing.Verbose() {
				describe(t, run)
			}
		})
	}
}

// resized checks the pods' CPU.
func resized(t *testing.T, run *Run) {
	t.Helper()
	e := run.Scenario.Expect
	var most scaling.CPU
	for _, p := range run.Points {
		most = max(most, p.CPU)
	}
	if most > e.CPU {
		t.Errorf("a pod was given %v of CPU, want at most %v", most, e.CPU)
	}
	if last := run.Points[len(run.Points)-1].CPU; last != e.AtEnd {
		t.Errorf("a pod has %v of CPU at the end, want %v", last, e.AtEnd)
	}
	if n := run.Resizes(); n == 0 || n > e.Resizes {
		t.Errorf("the CPU was changed %d times, want at most %d", n, e.Resizes)
	}
}

// bounded checks that there were never more pods than allowed, and that the number did not
// change while Kafka did not answer.
func bounded(t *testing.T, run *Run) {
	t.Helper()
	s := run.Scenario
	if run.Highest > s.cap() {
		t.Errorf("a decision asked for %d pods, but at most %d are allowed", run.Highest, s.cap())
	}
	if most := s.Expect.Most; most > 0 && run.Highest > most {
		t.Errorf("a decision asked for %d pods, but %d are enough", run.Highest, most)
	}
	for _, a := range run.Changes() {
		if s.out(int(a.At/time.Second) - 1) {
			t.Errorf("the pods changed from %d to %d while no broker answered", a.From, a.To)
		}
	}
	for _, a := range run.Acts {
		if a.Reason == "" || a.Message == "" {
			t.Errorf("a decision at %v without a reason or a message: %+v", a.At, a.Decision)
		}
	}
}

func describe(t *testing.T, run *Run) {
	t.Helper()
	own, best := run.ReplicaHours()
	t.Logf("behind for %v, %d turns, %d raises, %.2f replica-hours, the oracle's %.2f (%.2f)",
		run.Behind(), run.Turns(), run.Raises(), own, best, own/best)
	for _, a := range run.Changes() {
		t.Logf("%v: %d to %d, %v to %v, %s: %s", a.At, a.From, a.To, a.FromCPU, a.ToCPU, a.Reason, a.Message)
	}
}

// TestSameAgain checks that two runs of a scenario are the same.
func TestSameAgain(t *testing.T) {
	for range 2 {
		a, b := Play(spike()), Play(spike())
		for i := range a.Points {
			if a.Points[i] != b.Points[i] {
				t.Fatalf("second %d differs: %+v and %+v", i, a.Points[i], b.Points[i])
			}
		}
	}
}
