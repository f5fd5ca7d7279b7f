package sidecar

import "time"

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

// Waiting returns how many calls wait for a process.
func Waiting(p *Processor) int {
	p.places.mu.Lock()
	defer p.places.mu.Unlock()
	return len(p.places.waiting)
}
