package telemetry

import (
	"fmt"
	"sync"
	"time"
)

// Progress says whether a worker has work and makes progress.
type Progress struct {
	// Work says that records are in flight or wait in the log.
	Work bool
	// Waits says that an attempt is within its timeout, or that a record waits for
	// its next one. Both end by themselves, however long they take.
	Waits bool
	// Moved changes when a record is settled, a commit succeeds, an attempt ends, or
	// a request to Kafka ends that the work depends on. Failed requests count, too:
	// while Kafka is away, nothing else can move.
	Moved uint64
	// Stuck describes the records and parts that make no progress, for a person.
	Stuck string
}

// Health detects a worker that has work and makes no progress, although nothing outside
// the worker holds it up. Then a restart may help. It is safe for concurrent use.
type Health struct {
	timeout  time.Duration
	progress func() Progress
	now      func() time.Time

	mu sync.Mutex
	// The state at the last check; guarded by mu.
	work  bool // there was work, and nothing to wait for
	moved uint64
	since time.Time // of the first check with this work and this value of moved
}

// NewHealth returns a Health whose Check fails when there is work and nothing has moved
// for the timeout.
func NewHealth(timeout time.Duration, progress func() Progress) *Health {
	return &Health{timeout: timeout, progress: progress, now: time.Now}
}

// Check returns an error if the worker has stalled. /healthz and the worker itself call
// it now and then; a call notices all progress since the call before.
func (h *Health) Check() error {
	p, now := h.progress(), h.now()
	h.mu.Lock()
	defer h.mu.Unlock()
	if idle := !p.Work || p.Waits; idle || !h.work || p.Moved != h.moved {
		h.work, h.moved, h.since = !idle, p.Moved, now
		return nil
	}
	if still := now.Sub(h.since); still >= h.timeout {
		return fmt.Errorf("the worker has made no progress for %s: %s", still.Round(time.Second), p.Stuck)
	}
	return nil
}
