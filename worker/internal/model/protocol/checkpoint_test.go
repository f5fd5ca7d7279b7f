package protocol

import (
	"fmt"

	"github.com/millrace-dev/millrace/worker/internal/offsets"
)

// point is a committed offset with its metadata.
type point struct {
	offset   int64
	metadata string
}

// set is a set of a partition's records.
type set uint8

func (s set) has(record int) bool { return s&(1<<record) != 0 }

// memory keeps the answers of package offsets. They depend on nothing but the question,
// and the members of all states ask the same few questions.
type memory struct {
	settled     map[point]set
	checkpoints map[work]point
}

// work is what a partition's member has done since it has read on from a point.
type work struct {
	from    point
	end     int // the offset behind the last record that was processed
	settled set
}

func newMemory() *memory {
	return &memory{settled: make(map[point]set), checkpoints: make(map[work]point)}
}

// settledAt returns the records that a committed offset and its map have.
func (m *memory) settledAt(p point) set {
	settled, ok := m.settled[p]
	if !ok {
		tracker := offsets.New(p.offset, decode(p))
		for i := range maxRecords {
			if offset := int64(i); offset < p.offset || tracker.Resumed(offset) {
				settled |= 1 << i
			}
		}
		m.settled[p] = settled
	}
	return settled
}

func decode(p point) offsets.State {
	state, err := offsets.Decode(p.metadata, p.offset)
	if err != nil {
		panic(fmt.Sprintf("offset %d: %v", p.offset, err))
	}
	return state
}

// checkpoint returns what the partition's tracker has to commit: it has admitted the
// records up to the last one that was processed, in spans of two, and those that are
// acked or done are settled. early counts sent ones as well.
func (m *memory) checkpoint(h *holding, early bool) point {
	w := work{from: h.from, end: int(h.from.offset)}
	for i, s := range h.records {
		switch s {
		case acked, offered, done:
			w.settled |= 1 << i
			w.end = i + 1
		case sent:
			if early {
				w.settled |= 1 << i
			}
			w.end = i + 1
		}
	}
	p, ok := m.checkpoints[w]
	if !ok {
		p = w.checkpoint()
		m.checkpoints[w] = p
	}
	return p
}

func (w work) checkpoint() point {
	tracker := offsets.New(w.from.offset, decode(w.from))
	for from := int(w.from.offset); from < w.end; from += 2 {
		w.admit(tracker, from, min(from+2, w.end))
	}
	offset, state := tracker.Checkpoint()
	return point{offset, state.Encode(offset)}
}

func (w work) admit(tracker *offsets.Tracker, from, next int) {
	var fresh []int64
	for i := from; i < next; i++ {
		if !tracker.Resumed(int64(i)) {
			fresh = append(fresh, int64(i))
		}
	}
	span := &offsets.Span{}
	tracker.Admit(span, fresh, int64(next))
	for k, offset := range fresh {
		if !w.settled.has(int(offset)) {
			continue
		}
		if _, last := span.Done(k); last {
			tracker.Retire(span)
		}
	}
}
