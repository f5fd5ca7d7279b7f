package protocol

import (
	"slices"

	"github.com/millrace-dev/millrace/worker/internal/model/broker"
)

// memberSteps appends what a member may do next.
func (w *world) memberSteps(list []step, m *member) []step {
	if !m.lives() {
		return list
	}
	add := func(what string, which int8, apply func(*world, step)) {
		list = append(list, step{what, false, m.number, which, apply})
	}
	if !w.isMember(m) {
		add("learn of the expulsion", 0, (*world).learn)
	} else if m.generation != w.generation() {
		add("sync", 0, (*world).sync)
	}
	for p := range w.scope.partitions {
		h := &m.holds[p]
		switch {
		case h.state == acquire && h.revoked && m.mayRelease(w, p):
			add("release", p, (*world).release)
		case h.state == acquire && !h.revoked && (w.broken.unstable || !w.cluster.Group(group).IsUnstable(input(p))):
			add("acquire", p, (*world).acquireOffset)
		case h.state == reading && h.revoked:
			if m.mayRelease(w, p) {
				add("release", p, (*world).release)
			} else {
				add("cut the drain short", p, (*world).cutShort)
			}
		}
		if w.scope.evicts && h.state == acquire && !h.revoked && !h.evicted && m.id != id(p) && w.cluster.Transaction(id(p)) != nil {
			add("evict", p, (*world).evict)
		}
		if h.state == reading && !h.revoked {
			list = m.writeSteps(list, w, p)
		}
	}
	return w.transactionSteps(list, m)
}

// writeSteps appends the records of a partition that may be processed and written next.
func (m *member) writeSteps(list []step, w *world, p int8) []step {
	for i, s := range m.holds[p].records {
		if s == sent && w.scope.ordered {
			break
		}
		if s != waiting {
			continue
		}
		if m.mayWrite(w) || w.hasNoResult(int8(i)) {
			list = append(list, step{"write", false, m.number, p*w.scope.records + int8(i), (*world).write})
		}
		if w.scope.ordered {
			break
		}
	}
	return list
}

// hasNoResult reports whether the record at an offset is filtered.
func (w *world) hasNoResult(offset int8) bool { return !w.scope.withResults().has(int(offset)) }

func (w *world) transactionSteps(list []step, m *member) []step {
	add := func(what string, apply func(*world, step)) {
		list = append(list, step{what, false, m.number, 0, apply})
	}
	switch {
	case m.asks:
	case m.phase == identify && m.idToUse() >= 0 && !m.zombie:
		add("identify", (*world).identify)
	case m.phase == open && (m.used || m.hasSettled()):
		add("cut", (*world).cutOff)
	case m.phase == flush && (m.sending == noRecord || w.broken.earlyCheckpoint):
		add("commit", (*world).commitCut)
	case m.phase == commit && m.askedIn != m.generation:
		add("commit again", (*world).commitAgain)
	}
	return list
}

// mayWrite reports whether a result may be sent: only while a transaction is open, and
// not yet being ended.
func (m *member) mayWrite(w *world) bool {
	return m.sending == noRecord && m.phase != identify && (m.phase == open || w.broken.ungated)
}

// hasSettled reports whether a settled record waits for a commit.
func (m *member) hasSettled() bool {
	for p := range m.holds {
		if slices.Contains(m.holds[p].records[:], acked) {
			return true
		}
	}
	return false
}

// learn makes an expelled member give up everything.
func (w *world) learn(s step) {
	m := &w.members[s.member]
	w.forsake(m)
	*m = newMember(m.number)
	m.left = true
}

// forsake makes the member wait for none of its requests any more.
func (w *world) forsake(m *member) {
	for i := range w.network {
		if w.network[i].from == m.number {
			w.network[i].awaited = false
		}
	}
	m.asks, m.sending = false, noRecord
}

// sync tells a member of the group's generation, and of its partitions in it.
func (w *world) sync(s step) {
	m := &w.members[s.member]
	m.generation = w.generation()
	for p := range m.holds {
		h := &m.holds[p]
		switch {
		case h.state == none && w.assigned[p] == m.number:
			h.state, h.revoked, h.evicted = acquire, false, false
		case h.state != none && w.wanted[p] != m.number:
			h.revoked = true
		}
	}
}

func (w *world) acquireOffset(s step) {
	m := &w.members[s.member]
	h := &m.holds[s.which]
	o, _ := w.cluster.Committed(group, input(s.which), false)
	h.state, h.from = reading, point{max(o.Offset, 0), o.Metadata}
	if w.broken.staleMap {
		h.from.metadata = ""
	}
	settled := w.memory.settledAt(h.from)
	for i := range int(w.scope.records) {
		if !settled.has(i) {
			h.records[i] = waiting
		}
	}
	if w.broken.openingPlain {
		h.state = opening
		w.openPlainly(m, s.which)
	}
}

func (w *world) openPlainly(m *member, p int8) {
	h := &m.holds[p]
	w.network = append(w.network, request{
		kind: plainOpen, from: m.number, awaited: true, partition: p, generation: m.generation,
		offsets: []broker.PartitionOffset{offsetIn(p, h.from)},
	})
}

func offsetIn(p int8, at point) broker.PartitionOffset {
	return broker.PartitionOffset{Partition: input(p), Offset: broker.Offset{Offset: at.offset, Metadata: at.metadata}}
}

func (w *world) evict(s step) {
	m := &w.members[s.member]
	m.holds[s.which].evicted = true
	w.network = append(w.network, request{kind: evict, from: m.number, id: id(s.which), identity: broker.NoIdentity})
}

func (w *world) write(s step) {
	m := &w.members[s.member]
	p, i := s.which/w.scope.records, s.which%w.scope.records
	if w.hasNoResult(i) {
		m.holds[p].records[i] = acked
		return
	}
	if w.scope.version == 1 {
		// The request for it is not modelled: it is answered at once.
		switch w.cluster.AddPartitions(m.id, m.identity, []broker.Partition{output}, epoch) {
		case 0:
		case broker.ConcurrentTransactions:
			return
		default:
			w.reset(m)
			return
		}
	}
	m.holds[p].records[i] = sent
	m.sending, m.used = s.which, true
	w.send(m)
}

// mayRelease reports whether nothing of a revoked partition is under way, and its
// transactional id is free.
func (m *member) mayRelease(w *world, p int8) bool {
	if w.broken.quietForget {
		return true
	}
	if m.phase == commit && !w.broken.unfenced {
		return false // the group's fence: no partition is released while offsets are being committed
	}
	h := &m.holds[p]
	for _, s := range h.records {
		if s == sent || s == acked || s == offered {
			return false
		}
	}
	return m.id != id(p) || m.phase == identify && !m.asks || m.phase == open && !m.used
}

func (w *world) release(s step) {
	m := &w.members[s.member]
	m.holds[s.which] = holding{}
	if m.id == id(s.which) && !w.broken.quietForget {
		m.id, m.identity, m.former, m.phase = "", broker.NoIdentity, broker.NoIdentity, identify
	}
	if w.isMember(m) {
		w.assigned[s.which] = w.wanted[s.which]
		w.rebalance()
	}
}

// cutShort gives up a revoked partition whose records are in flight.
func (w *world) cutShort(s step) { w.reset(&w.members[s.member]) }

// reset gives up everything that is not committed.
func (w *world) reset(m *member) {
	w.forsake(m)
	for p := range m.holds {
		if h := &m.holds[p]; h.state != none {
			*h = holding{state: acquire, evicted: true, revoked: h.revoked}
		}
	}
	m.used, m.sequence = false, 0
	if m.identity != broker.NoIdentity {
		m.former = m.identity
	}
	m.phase = identify
}

// idToUse returns the partition whose transactional id the member uses next, -1 for none.
func (m *member) idToUse() int8 {
	for p := range m.holds {
		if h := &m.holds[p]; m.id == id(int8(p)) && h.state != none && !h.revoked {
			return int8(p)
		}
	}
	for p := range m.holds {
		if h := &m.holds[p]; h.state != none && !h.revoked {
			return int8(p)
		}
	}
	return -1
}

func (w *world) identify(s step) {
	m := &w.members[s.member]
	former := m.former
	// The expelled one and its heir could go on fencing each other until it learns.
	m.zombie = !w.isMember(m)
	if next := id(m.idToUse()); next != m.id {
		m.id, m.former, former = next, broker.NoIdentity, broker.NoIdentity
	} else if former.Producer < 0 {
		former = broker.NoIdentity
	}
	w.ask(m, request{kind: initProducer, id: m.id, identity: former})
}

func (w *world) ask(m *member, r request) {
	r.from, r.awaited = m.number, true
	m.asks = true
	w.network = append(w.network, r)
}

func (w *world) send(m *member) {
	w.network = append(w.network, request{
		kind: produce, from: m.number, awaited: true, id: m.id, identity: m.identity, record: m.sending, sequence: m.sequence,
	})
}

func (w *world) cutOff(s step) {
	m := &w.members[s.member]
	m.phase = flush
	if w.broken.earlyCheckpoint {
		w.checkpoint(m)
	}
}

func (w *world) commitCut(s step) {
	m := &w.members[s.member]
	if !w.broken.earlyCheckpoint {
		w.checkpoint(m)
	}
	m.phase = commit
	w.commitOffsets(m)
}

func (w *world) commitAgain(s step) { w.commitOffsets(&w.members[s.member]) }

func (w *world) commitOffsets(m *member) {
	if w.scope.version == 1 && w.cluster.AddOffsets(m.id, m.identity, epoch) != 0 {
		w.reset(m)
		return
	}
	m.askedIn = m.generation
	w.ask(m, request{kind: commitOffsets, id: m.id, identity: m.identity, generation: m.generation, offsets: m.offsets})
}

// checkpoint takes the checkpoints of all partitions.
func (w *world) checkpoint(m *member) {
	m.offsets = make([]broker.PartitionOffset, 0, w.scope.partitions)
	for p := range w.scope.partitions {
		if h := &m.holds[p]; h.state == reading {
			m.offsets = append(m.offsets, offsetIn(p, w.memory.checkpoint(h, w.broken.earlyCheckpoint)))
			h.change(acked, offered)
		}
	}
}

// unanswered is called when a member stops waiting for an answer.
func (w *world) unanswered(m *member, r request) {
	if r.kind == plainOpen {
		w.openPlainly(m, r.partition)
		return
	}
	if r.kind == produce {
		w.send(m)
		return
	}
	m.asks = false
	repeats := w.scope.version >= 2 || w.broken.repeatsOnVersion1
	switch r.kind {
	case commitOffsets:
		if repeats {
			w.commitOffsets(m)
		} else {
			w.reset(m)
		}
	case endTransaction:
		switch {
		case w.broken.guessCommitted:
			w.committed(m, broker.Identity{Producer: m.identity.Producer, Epoch: m.identity.Epoch + int16(w.scope.version-1)})
		case repeats:
			w.ask(m, request{kind: endTransaction, id: m.id, identity: m.identity})
		default:
			w.reset(m)
		}
	}
}

// answered is called when a member gets an answer.
func (w *world) answered(m *member, r request, code broker.Code, identity broker.Identity) {
	if r.kind == plainOpen {
		if h := &m.holds[r.partition]; h.state == opening {
			h.state = reading // a refusal leaves the partition to its next owner
		}
		return
	}
	if r.kind == produce {
		w.produced(m, r, code)
		return
	}
	m.asks = false
	switch r.kind {
	case commitOffsets:
		switch code {
		case 0:
			m.phase = end
			w.ask(m, request{kind: endTransaction, id: m.id, identity: m.identity})
		case broker.IllegalGeneration, broker.UnknownMemberID:
			// Once the member knows the generation, it commits again; an expelled one
			// learns that it is one.
		default:
			w.reset(m)
		}
	case endTransaction:
		switch code {
		case 0:
			w.committed(m, identity)
		case broker.ConcurrentTransactions:
			w.ask(m, request{kind: endTransaction, id: m.id, identity: m.identity})
		default:
			w.reset(m)
		}
	case initProducer:
		switch code {
		case 0:
			m.identity, m.former, m.phase, m.sequence = identity, broker.NoIdentity, open, 0
			m.used = false
		case broker.ProducerFenced:
			m.former = broker.Identity{Producer: -1, Epoch: 0} // still over the former one, but under no name
		}
	}
}

func (w *world) produced(m *member, r request, code broker.Code) {
	switch code {
	case 0:
		m.sequence++
		m.sending = noRecord
		p, i := r.record/w.scope.records, r.record%w.scope.records
		if h := &m.holds[p]; h.records[i] == sent {
			h.records[i] = acked
		}
	case broker.ConcurrentTransactions:
		w.send(m)
	default:
		w.reset(m)
	}
}

// committed is called when the open transaction is committed.
func (w *world) committed(m *member, identity broker.Identity) {
	m.phase, m.used = open, false
	if identity != m.identity {
		m.identity, m.sequence = identity, 0
	}
	for p := range m.holds {
		m.holds[p].change(offered, done)
	}
}

// change changes the records that have one status to another one.
func (h *holding) change(from, to status) {
	for i, s := range h.records {
		if s == from {
			h.records[i] = to
		}
	}
}
