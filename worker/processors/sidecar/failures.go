package sidecar

import (
	"sync"
	"time"

	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// together is how long after a failure others count as the same one: the processes of a
// container end at the same time when that does.
const together = time.Second

// failures remembers how often processes have failed, for /status. Its methods are safe for
// concurrent use. Its memory is bounded, since the failures that it keeps are more than
// together apart.
type failures struct {
	mu     sync.Mutex
	total  int64       // guarded by mu
	recent []time.Time // the first of those that count once, the oldest first; guarded by mu
	last   time.Time   // guarded by mu
	err    string      // of the last; guarded by mu
}

// add notes a failure at the time now.
func (f *failures) add(now time.Time, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last, f.err = now, err.Error()
	if n := len(f.recent); n > 0 && now.Sub(f.recent[n-1]) < together {
		return
	}
	f.total++
	f.forget(now)
	f.recent = append(f.recent, now)
}

// forget drops the failures that are no longer recent. The caller holds mu.
func (f *failures) forget(now time.Time) {
	i := 0
	for i < len(f.recent) && now.Sub(f.recent[i]) >= workerstatus.RecentFailures {
		i++
	}
	f.recent = append(f.recent[:0], f.recent[i:]...)
}

// fill sets the part of a status that is about failures.
func (f *failures) fill(s *workerstatus.Processes, now time.Time) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.forget(now)
	s.Failed, s.FailedRecently = f.total, len(f.recent)
	if !f.last.IsZero() {
		s.LastFailure, s.LastError = new(f.last), f.err
	}
}

// Processes describes the processes for /status.
func (p *Processor) Processes() workerstatus.Processes {
	s := workerstatus.Processes{Connected: p.places.processes()}
	p.failures.fill(&s, time.Now())
	return s
}
