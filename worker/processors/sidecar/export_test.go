package sidecar

import "time"

// ListenFor is Listen for a Processor that takes a process for dead after a shorter silence,
// and has smaller frames.
func ListenFor(opts Options, ping, silence time.Duration, maxFrame int) (*Processor, error) {
	p, err := Listen(opts)
	if err == nil {
		p.pingInterval, p.silence, p.maxFrame = ping, silence, maxFrame
	}
	return p, err
}

// Waiting returns how many calls wait for a process.
func Waiting(p *Processor) int {
	p.places.mu.Lock()
	defer p.places.mu.Unlock()
	return len(p.places.waiting)
}
