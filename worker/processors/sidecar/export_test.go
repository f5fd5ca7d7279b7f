package sidecar

import (
	"context"
	"time"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// ListenFor is Listen for a Processor that takes a process for dead after a shorter silence,
// has smaller frames, and
// waits less for the end of processes.
func ListenFor(opts Options, ping, silence time.Duration, maxFrame int) (*Processor, error) {
	p, err := Listen(opts)
	if err == nil {
		p.pingInterval, p.silence, p.maxFrame, p.closeTimeout = ping, silence, maxFrame, 200*time.Millisecond
	}
	return p, err
}

// DrainFirst calls ProcessBatch, and drains when the call has its place and its batch is not
// sent yet.
func DrainFirst(ctx context.Context, p *Processor, recs []*worker.Record, outs []*worker.Outputs) error {
	c := newCall()
	c.prepare(ctx, recs, outs)
	conn, err := p.places.acquire(ctx, c)
	if err != nil {
		return err
	}
	p.Drain()
	if err := conn.send(ctx, c); err != nil {
		return err
	}
	return <-c.ended
}

// EndIdle ends all connections as if their processes held no batch.
func EndIdle(p *Processor) { p.places.failAll(idleError("idle")) }

// Waiting returns how many calls wait for a process.
func Waiting(p *Processor) int {
	p.places.mu.Lock()
	defer p.places.mu.Unlock()
	return len(p.places.waiting)
}

// Failures are those of a Processor's processes.
type Failures struct{ failures }

// Add notes a failure.
func (f *Failures) Add(now time.Time, err error) { f.add(now, err) }

// Status returns the part of a status about them.
func (f *Failures) Status(now time.Time) (s workerstatus.Processes) {
	f.fill(&s, now)
	return s
}
