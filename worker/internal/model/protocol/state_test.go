package protocol

import (
	"encoding/binary"
	"hash/maphash"
	"slices"

	"github.com/millrace-dev/millrace/worker/internal/model/broker"
)

// hasher hashes states. Two states with the same hash are taken for the same one: among
// a hundred million states, two share one with a probability of about 1 in 4,000.
type hasher struct {
	seed    maphash.Seed
	scratch []byte
	results []uint32
}

// hash hashes everything that decides how a state goes on.
func (h *hasher) hash(w *world) uint64 {
	b := w.cluster.AppendState(h.scratch[:0])
	b = h.appendResults(b, w)
	for i := range w.members {
		b = w.appendMember(b, &w.members[i])
	}
	for p := range w.scope.partitions {
		b = append(b, byte(w.assigned[p]), byte(w.wanted[p]))
	}
	b = append(b, byte(w.crashes), byte(w.losses), byte(w.moves), byte(w.expiries))
	sum := maphash.Bytes(h.seed, b)
	for i := range w.network { // in whatever order
		b = w.appendRequest(b[:0], &w.network[i])
		sum += maphash.Bytes(h.seed, b)
	}
	h.scratch = b
	return sum
}

// appendResults appends the results in the output that are not aborted. Only the order of
// those of the same partition matters, and only if it is checked.
func (h *hasher) appendResults(b []byte, w *world) []byte {
	results := h.results[:0]
	for batch, outcome := range w.cluster.Outcomes(output) {
		if outcome == broker.Discarded {
			continue
		}
		p, i := w.scope.place(batch)
		writer := uint32(0xffff)
		if outcome == broker.Undecided {
			writer = uint32(binary.BigEndian.Uint16(w.cluster.AppendIdentity(b, batch.Identity)[len(b):]))
		}
		results = append(results, uint32(p)<<24|uint32(i)<<16|writer)
	}
	if w.scope.ordered {
		slices.SortStableFunc(results, func(a, b uint32) int { return int(a>>24) - int(b>>24) })
	} else {
		slices.Sort(results)
	}
	h.results = results
	for _, r := range results {
		b = binary.BigEndian.AppendUint32(b, r)
	}
	return append(b, 0xff)
}

// appendMember appends a member. Generations that are over are all alike.
func (w *world) appendMember(b []byte, m *member) []byte {
	if !m.lives() {
		return append(b, 0xff, truth(w.isMember(m)))
	}
	b = append(b, byte(m.phase), truth(m.asks), byte(m.sending), truth(m.used), byte(m.sequence), truth(m.zombie), truth(m.generation == w.generation()))
	b = append(append(b, m.id...), 0xff)
	b = w.cluster.AppendIdentity(w.cluster.AppendIdentity(b, m.identity), m.former)
	for p := range w.scope.partitions {
		b = m.holds[p].append(b)
	}
	if m.phase == commit {
		b = appendOffsets(append(b, truth(m.askedIn == m.generation)), m.offsets)
	}
	return b
}

func (h *holding) append(b []byte) []byte {
	b = append(b, byte(h.state), truth(h.revoked), truth(h.evicted))
	if h.state == none || h.state == acquire {
		return b
	}
	b = append(append(append(b, byte(h.from.offset)), h.from.metadata...), 0xff)
	for _, s := range h.records {
		b = append(b, byte(s))
	}
	return b
}

func (w *world) appendRequest(b []byte, r *request) []byte {
	b = append(b, byte(r.kind), byte(r.from), truth(r.awaited), byte(r.record), byte(r.sequence), byte(r.partition), truth(r.generation == w.generation()))
	return appendOffsets(w.cluster.AppendIdentity(append(append(b, r.id...), 0xff), r.identity), r.offsets)
}

func appendOffsets(b []byte, list []broker.PartitionOffset) []byte {
	for i := range list {
		o := &list[i]
		b = append(append(b, byte(o.ID), byte(o.Offset.Offset)), o.Metadata...)
	}
	return append(b, 0xff)
}

func truth(v bool) byte {
	if v {
		return 1
	}
	return 0
}
