package drive

import (
	"context"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/check"
)

// starvation notes when the machine had too little processor time for the run. A worker
// that stood still then may be innocent.
type starvation struct {
	journal *journal

	mu  sync.Mutex
	all []check.Span
}

const (
	starvationLook  = 50 * time.Millisecond
	starvationBound = 300 * time.Millisecond
)

// run looks until ctx ends.
func (s *starvation) run(ctx context.Context) {
	for last := time.Now(); wait(ctx, starvationLook) == nil; {
		now := time.Now()
		if late := now.Sub(last) - starvationLook; late > starvationBound {
			s.journal.log("the machine stood still for %s", late.Round(time.Millisecond))
			s.note(last, now)
		}
		last = now
	}
}

func (s *starvation) note(begin, end time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.all = append(s.all, check.Span{Begin: begin, End: end})
}

func (s *starvation) spans() []check.Span {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]check.Span(nil), s.all...)
}
