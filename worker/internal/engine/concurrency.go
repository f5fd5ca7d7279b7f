package engine

import "runtime"

// concurrency is the number of goroutines in one member's pool. GOMAXPROCS
// follows the container's CPU limit: the runtime reads it from the control group
// at the start and, unless the environment sets GOMAXPROCS, about each second
// from then on.
func (e *Engine) concurrency() int {
	if e.cfg.Concurrency > 0 {
		return e.cfg.Concurrency
	}
	return runtime.GOMAXPROCS(0)
}

// growth is how far a pool can grow before its partitions have too few lanes for
// the keys to be spread over.
const growth = 8

// mostConcurrency is how many goroutines the pool may have when the container
// is given more CPU.
func (e *Engine) mostConcurrency() int {
	now := e.concurrency()
	if e.cfg.Concurrency > 0 {
		return now
	}
	return max(now, min(growth*now, runtime.NumCPU()))
}

// follow makes the pool as large as the container's CPU limit now allows.
func (m *member) follow() {
	was, now := m.pool.Size(), m.e.concurrency()
	if was == now {
		return
	}
	m.pool.Resize(now)
	m.log.Info("the container's CPU limit has changed, and the pool follows it", "goroutines", now, "before", was)
}
