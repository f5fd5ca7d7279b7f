package dispatch

import "time"

// finish delivers the results of the group in order. The results that follow a failed
// item in its lane are thrown away, and their items go back to the lane with it.
func (r *runner) finish(s *session) {
	together := false
	for k := range r.group {
		it := r.items[r.pos]
		r.pos++
		if it.lane != nil && len(it.lane.back) > 0 {
			if together {
				it.past = it.past.halved(r.group)
			}
			it.lane.back = append(it.lane.back, it)
			continue
		}
		v := s.worker.Finish(k, it)
		if !v.Again {
			continue
		}
		if together = together || v.Together; together {
			it.past = it.past.halved(r.group)
		}
		r.tryAgain(it, v.After)
		if waits := r.pool.cfg.Waits; waits != nil {
			waits(it)
		}
	}
	r.group = 0
	if len(r.due) > 0 {
		r.retryDue()
	}
}

// tryAgain queues another attempt of an item, the last one that finish has looked at.
func (r *runner) tryAgain(it Item, after time.Duration) {
	l := it.lane
	switch {
	case l == nil || l.set.keys != nil && it.Record().Key == nil:
		it.lane = nil
		r.retryLater(it, after)
		return
	case l.set.keys != nil && !l.alone:
		l = r.detour(it)
		it.lane = l
	}
	l.back = append(l.back, it)
	r.park(l, after)
}

// retryLater queues an item that has no order for another attempt, together with
// those before it that wait for the same time.
func (r *runner) retryLater(it Item, after time.Duration) {
	if len(r.due) > 0 && after != r.wait {
		r.retryDue()
	}
	r.due, r.wait = append(r.due, it), after
}

func (r *runner) retryDue() {
	due := r.due
	r.due = nil
	time.AfterFunc(r.wait, func() { r.pool.retry(due) })
}

func (r *runner) park(l *lane, after time.Duration) {
	for i := len(r.lanes) - 1; i >= 0; i-- {
		if r.lanes[i].lane == l {
			r.lanes[i].after = after
			return
		}
	}
}
