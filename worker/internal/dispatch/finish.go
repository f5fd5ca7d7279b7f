package dispatch

import "time"

// finish delivers the results of the group in order. It throws away the results that
// follow a failed item in its lane, and returns their items to the lane.
func (r *runner) finish(s *session) {
	c := &r.claim
	together := false
	for k := range c.group {
		it := c.items[c.finished]
		c.finished++
		if it.lane != nil && it.lane.isBlocked() {
			if together {
				it.history = it.history.halved(c.group)
			}
			it.lane.returned = append(it.lane.returned, it)
			continue
		}
		v := s.worker.Finish(k, it)
		if !v.Again {
			continue
		}
		if together = together || v.Together; together {
			it.history = it.history.halved(c.group)
		}
		r.tryAgain(it, v.After)
		if waits := r.pool.cfg.Waits; waits != nil {
			waits(it)
		}
	}
	c.group = 0
	if len(r.failed) > 0 {
		r.retryFailed()
	}
}

// tryAgain arranges another attempt of the item that finish has just looked at.
func (r *runner) tryAgain(it Item, after time.Duration) {
	l := it.lane
	switch {
	case l == nil || l.lanes.keys != nil && it.Record().Key == nil:
		it.lane = nil
		r.tryAgainUnordered(it, after)
		return
	case l.lanes.keys != nil && !l.isAside:
		r.pool.mu.Lock()
		l = r.claim.moveAside(it)
		r.pool.mu.Unlock()
		it.lane = l
	}
	l.returned = append(l.returned, it)
	r.claim.park(l, after)
}

// tryAgainUnordered arranges another attempt of an item without an order, together
// with the failed items before it if they wait for the same time.
func (r *runner) tryAgainUnordered(it Item, after time.Duration) {
	if len(r.failed) > 0 && after != r.failedWait {
		r.retryFailed()
	}
	r.failed, r.failedWait = append(r.failed, it), after
}

func (r *runner) retryFailed() {
	r.pool.retryLater(r.failed, r.failedWait)
	r.failed = nil
}
