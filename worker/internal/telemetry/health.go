package telemetry

import (
	"fmt"
	"sync"
	"time"
)

// Progress is what a worker has to do and whether it gets on with it.
type Progress struct {
	// Work: records are in flight or waiting in the log.
	Work bool
	// Waits: an attempt is within its timeout, or a record waits for its next
	// one. Both end by themselves, however long they take.
	Waits bool
	// Moved changes whenever something was settled or committed, an attempt
	// has ended, or Kafka was asked for what the work waits for, with or
	// without success: while Kafka is away, nothing else can move.
	Moved uint64
	// Stuck names what holds things up, for a person.
	Stuck string
}

// Health watches for a worker that has work and gets nowhere, although nothing
// that it depends on holds it up: then a restart may help. It is safe for
// concurrent use.
type Health struct {
	timeout  time.Duration
	progress func() Progress
	now      func() time.Time

	mu sync.Mutex
	// What the last look saw; guarded by mu.
	work  bool // to be done, and nothing to wait for
	moved uint64
	since time.Time // of the first look that saw this work and this move
}

// NewHealth returns a Health that fails when there is work and nothing has
// moved for the timeout.
func NewHealth(timeout time.Duration, progress func() Progress) *Health {
	return &Health{timeout: timeout, progress: progress, now: time.Now}
}

// Check looks at the progress and returns an error when it has stalled. It is
// to be called now and then, by /healthz and by the worker itself: what moved
// between two calls is seen by the second one.
func (h *Health) Check() error {
	p, now := h.progress(), h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	if idle := !p.Work || p.Waits; idle || !h.work || p.Moved != h.moved {
		h.work, h.moved, h.since = !idle, p.Moved, now
		return nil
	}
	if still := now.Sub(h.since); still >= h.timeout {
		return fmt.Errorf("nothing has moved for %s: %s", still.Round(time.Second), p.Stuck)
	}
	return nil
}
