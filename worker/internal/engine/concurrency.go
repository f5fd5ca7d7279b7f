package engine

import "runtime"

// concurrency returns the number of goroutines in one member's pool. GOMAXPROCS
// follows the container's CPU limit: the runtime reads it from the control group
// at the start and, unless the environment sets GOMAXPROCS, about each second
// from then on.
func (p *process) concurrency() int {
	if p.cfg.Concurrency > 0 {
		return p.cfg.Concurrency
	}
	return runtime.GOMAXPROCS(0)
}

// growth is the factor by which a pool can grow before its partitions have too few
// lanes for their keys.
const growth = 8

// mostConcurrency returns the number of goroutines that the pool may have when the
// container gets more CPU.
func (p *process) mostConcurrency() int {
	now := p.concurrency()
	if p.cfg.Concurrency > 0 {
		return now
	}
	return max(now, min(growth*now, runtime.NumCPU()))
}

// resizePool makes the pool as large as the container's CPU limit now allows.
func (m *member) resizePool() {
	before, now := m.pool.Size(), m.proc.concurrency()
	if before == now {
		return
	}
	m.pool.Resize(now)
	m.log.Info("the container's CPU limit has changed, and the pool follows it", "goroutines", now, "before", before)
}
