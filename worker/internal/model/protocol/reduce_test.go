package protocol

import "slices"

// forget removes all that makes no difference any more: requests that nobody waits for and
// whose epoch is over, and the work of members until they notice that theirs is over.
func (w *world) forget() {
	for i := range w.members {
		if m := &w.members[i]; m.lives() {
			w.forgetWork(m)
		}
	}
	w.network = slices.DeleteFunc(w.network, func(r request) bool {
		return !r.awaited && (r.kind == produce || r.kind == commitOffsets || r.kind == endTransaction) && w.cluster.IsOver(r.id, r.identity)
	})
}

// forgetWork lets an expelled member that can change nothing any more learn of it, and a
// member start over whose next request will be refused.
func (w *world) forgetWork(m *member) {
	// In the phase end a member may still hear that its transaction is committed.
	fenced := m.phase != identify && m.phase != end && w.cluster.IsOver(m.id, m.identity)
	hasIdentified := m.zombie && (fenced || m.phase == identify && !m.asks)
	isRefused := m.phase == commit && !m.asks && !m.mayWrite(w)
	switch {
	case !w.isMember(m) && !m.mayEvict(w) && (hasIdentified || isRefused):
		w.learn(step{member: m.number})
	case fenced && (m.asks || m.sending != noRecord || m.phase == flush):
		w.reset(m)
	}
}

// mayEvict reports whether the member may still end the transaction of another owner.
func (m *member) mayEvict(w *world) bool {
	return w.scope.evicts && slices.ContainsFunc(m.holds[:], func(h holding) bool { return h.state == acquire && !h.evicted })
}

// stepsToSearch appends the steps that the search takes. These are all steps, unless those
// of one member can go first: whatever happens before them could as well happen after
// them. None of them leads back to where it began, so that the turn of the others comes.
func (w *world) stepsToSearch(list []step) []step {
	if w.groupIsSettled() {
		for i := range w.members {
			if m := &w.members[i]; w.isAlone(m) {
				if own := w.memberSteps(list, m); len(own) > len(list) {
					return own
				}
			}
		}
	}
	return w.steps(list)
}

// groupIsSettled reports whether nothing changes the group any more.
func (w *world) groupIsSettled() bool {
	if w.crashes > 0 || w.moves > 0 || w.assigned != w.wanted {
		return false
	}
	for i := range w.members {
		m := &w.members[i]
		if m.crashed && w.isMember(m) || m.holdsRevoked() {
			return false
		}
	}
	return true
}

func (m *member) holdsRevoked() bool {
	return slices.ContainsFunc(m.holds[:], func(h holding) bool { return h.revoked })
}

// isAlone reports whether a member's next steps depend on itself only: it waits for no
// answer and for no other transaction to end.
func (w *world) isAlone(m *member) bool {
	for p := range m.holds {
		if s := m.holds[p].state; s == acquire || s == opening {
			return false
		}
	}
	for i := range w.network {
		if r := &w.network[i]; r.from == m.number && r.awaited {
			return false
		}
	}
	return w.scope.version >= 2 || m.id == "" || w.isItsOwn(m)
}

// isItsOwn reports whether nothing but the member changes its transaction, to which
// version 1 adds partitions at once.
func (w *world) isItsOwn(m *member) bool {
	if !w.isMember(m) {
		return false
	}
	for i := range w.members {
		if o := &w.members[i]; o != m && (o.id == m.id || o.mayUse(m.id)) {
			return false
		}
	}
	for i := range w.network {
		if w.network[i].id == m.id {
			return false
		}
	}
	t := w.cluster.Transaction(m.id)
	return t != nil && t.Identity == m.identity && !t.IsPrepared() && w.expiries == 0
}

// mayUse reports whether the member holds the partition of a transactional id.
func (m *member) mayUse(name string) bool {
	for p := range m.holds {
		if m.holds[p].state != none && id(int8(p)) == name {
			return true
		}
	}
	return false
}
