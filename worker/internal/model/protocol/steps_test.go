package protocol

import (
	"fmt"
	"slices"

	"github.com/millrace-dev/millrace/worker/internal/model/broker"
)

// step is something that may happen next.
type step struct {
	what   string
	fault  bool
	member int8 // or a request's place in the network
	which  int8 // a partition or a record
	apply  func(w *world, s step)
}

func (s step) String() string { return fmt.Sprintf("%s(%d,%d)", s.what, s.member, s.which) }

// steps appends what may happen next.
func (w *world) steps(list []step) []step {
	for i := range w.members {
		list = w.memberSteps(list, &w.members[i])
	}
	for i := range w.network {
		list = append(list, step{"arrive", false, int8(i), 0, (*world).arrive})
		if w.losses > 0 && w.network[i].awaited {
			list = append(list,
				step{"lose the answer", true, int8(i), 0, (*world).loseAnswer},
				step{"delay", true, int8(i), 0, (*world).delay})
		}
	}
	return w.clusterSteps(list)
}

func (w *world) clusterSteps(list []step) []step {
	for p := range w.scope.partitions {
		t := w.cluster.Transaction(id(p))
		switch {
		case t == nil:
		case t.IsPrepared():
			list = append(list, step{"complete", false, p, 0, (*world).complete})
		case t.State == broker.Ongoing && w.orphaned(t):
			list = append(list, step{"expire", false, p, 0, (*world).expire})
		case t.State == broker.Ongoing && w.expiries > 0:
			list = append(list, step{"expire early", true, p, 0, (*world).expireEarly})
		}
	}
	for i := range w.members {
		m := &w.members[i]
		if m.crashed && w.isMember(m) {
			list = append(list, step{"expel", false, m.number, 0, (*world).expel})
		}
		if m.lives() && w.isMember(m) && w.crashes > 0 && w.others(m.number) > 0 {
			list = append(list,
				step{"crash", true, m.number, 0, (*world).crash},
				step{"expel alive", true, m.number, 0, (*world).expelAlive})
		}
	}
	if w.moves > 0 {
		for p := range w.scope.partitions {
			for i := range w.members {
				if w.wanted[p] == w.assigned[p] && w.assigned[p] != int8(i) && w.members[i].lives() && w.isMember(&w.members[i]) {
					list = append(list, step{"move", true, int8(i), p, (*world).move})
				}
			}
		}
	}
	return list
}

// orphaned reports whether no living member has the identity of a transaction.
func (w *world) orphaned(t *broker.Transaction) bool {
	for i := range w.members {
		if m := &w.members[i]; m.lives() && m.identity == t.Identity {
			return false
		}
	}
	return true
}

func (w *world) isMember(m *member) bool { return w.cluster.Group(group).IsMember(name(m.number)) }

func (w *world) others(than int8) (n int) {
	for i := range w.members {
		if m := &w.members[i]; m.number != than && m.lives() && w.isMember(m) {
			n++
		}
	}
	return n
}

func (w *world) complete(s step) { w.cluster.Complete(id(s.member)) }

func (w *world) expire(s step) { w.cluster.Expire(id(s.member)) }

func (w *world) expireEarly(s step) {
	w.expiries--
	w.cluster.Expire(id(s.member))
}

func (w *world) crash(s step) {
	w.crashes--
	m := &w.members[s.member]
	*m = newMember(m.number)
	m.crashed = true
	for i := range w.network {
		if w.network[i].from == m.number {
			w.network[i].awaited = false
		}
	}
}

func (w *world) expelAlive(s step) {
	w.crashes--
	w.expel(s)
}

// expel ends a membership, and gives the member's partitions to another one.
func (w *world) expel(s step) {
	w.cluster.Group(group).Expel(name(s.member))
	heir := int8(nobody)
	for i := range w.members {
		if m := &w.members[i]; m.lives() && w.isMember(m) {
			heir = m.number
		}
	}
	for p := range w.assigned {
		if w.assigned[p] == s.member {
			w.assigned[p] = heir
			if w.wanted[p] == s.member {
				w.wanted[p] = heir
			} else {
				w.assigned[p] = w.wanted[p]
			}
		}
		if w.wanted[p] == s.member {
			w.wanted[p] = w.assigned[p]
		}
	}
	w.rebalance()
}

func (w *world) move(s step) {
	w.moves--
	w.wanted[s.which] = s.member
	w.rebalance()
}

// arrive has the cluster act on a request, whose member gets the answer.
func (w *world) arrive(s step) {
	r, code, identity := w.execute(s.member)
	if r.awaited {
		w.answered(&w.members[r.from], r, code, identity)
	}
}

// loseAnswer has the cluster act on a request, whose member never gets the answer.
func (w *world) loseAnswer(s step) {
	w.losses--
	r, _, _ := w.execute(s.member)
	w.unanswered(&w.members[r.from], r)
}

// delay makes the member give up waiting before the request arrives. It may arrive later.
func (w *world) delay(s step) {
	w.losses--
	w.network[s.member].awaited = false
	r := w.network[s.member]
	w.unanswered(&w.members[r.from], r)
}

func (w *world) execute(i int8) (request, broker.Code, broker.Identity) {
	r := w.network[i]
	w.network = slices.Delete(w.network, int(i), int(i)+1)
	code, identity := w.handle(&r)
	if t := w.cluster.Transaction(r.id); r.kind == plainOpen || t.State == broker.PrepareCommit {
		w.decided = true
	}
	return r, code, identity
}

// handle has the cluster act on a request.
func (w *world) handle(r *request) (broker.Code, broker.Identity) {
	c, version := w.cluster, w.scope.version
	switch r.kind {
	case produce:
		b := broker.Batch{Identity: r.identity, Count: 1, Sequence: r.sequence, Transactional: true, Bytes: w.scope.result(r.record)}
		_, code := c.Produce(r.id, version, output, b, epoch)
		return code, broker.NoIdentity
	case commitOffsets:
		m := broker.Member{ID: name(r.from), Generation: r.generation}
		if w.broken.anyGeneration {
			m = broker.Member{Generation: -1}
		}
		return c.CommitInTransaction(r.id, version, r.identity, group, m, r.offsets, epoch), broker.NoIdentity
	case endTransaction:
		identity, code := c.EndTransaction(r.id, version, r.identity, true, epoch)
		return code, identity
	case plainOpen:
		m := broker.Member{ID: name(r.from), Generation: r.generation}
		return c.Commit(group, m, input(r.partition), r.offsets[0].Offset), broker.NoIdentity
	default:
		identity, code := c.InitProducer(r.id, r.identity, 1, epoch)
		return code, identity
	}
}
