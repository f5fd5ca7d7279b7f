package dispatch

import (
	"hash/maphash"

	"github.com/millrace-dev/millrace/worker/internal/record"
)

// Lanes are the queues of one partition. Records of one lane run one after another
// in their order. A stuck record holds up its own lane and no other partition.
// Pool.mu guards them.
//
// All records can go through the trunk. Under Key they can go through the key lanes
// instead, which keys share by hash. Only one of the two holds records at a time:
// the trunk or the key lanes. A key whose record fails or is slow leaves both for a
// lane aside, so that the keys it shared a lane with need not wait for it.
type Lanes struct {
	trunk lane
	keys  []lane // a power of two of them; nil if all records keep one order
	busy  int    // lanes that are not idle, without those aside

	// aside holds the lanes of troubled keys, by the key's hash. None of them is
	// idle. A key's records in its lane aside come before those in other lanes.
	aside map[uint64]*lane

	// spread says that the last chunk went to the key lanes. Only the goroutine
	// that pushes uses it.
	spread bool
}

// laneSeed makes the lane of a key independent of its partition. If both came from
// Kafka's murmur2, the keys of one partition would share few lanes.
var laneSeed = maphash.MakeSeed()

// NewKeyLanes returns lanes for a partition whose records keep the order of their
// keys. Keys share n lanes; n is a power of two. Records with a null key have no
// order.
func NewKeyLanes(n int) *Lanes {
	l := &Lanes{keys: make([]lane, n)}
	l.trunk.lanes = l
	for i := range l.keys {
		l.keys[i].lanes = l
	}
	return l
}

// NewPartitionLane returns the single lane of a partition whose records all keep
// their order.
func NewPartitionLane() *Lanes {
	l := &Lanes{}
	l.trunk.lanes = l
	return l
}

// keyLane returns the key lane of a record.
func (l *Lanes) keyLane(rec *record.Record) *lane {
	n := uint64(rec.Offset) // spreads records with a null key
	if rec.Key != nil {
		n = hash(rec.Key)
	}
	return &l.keys[n&uint64(len(l.keys)-1)]
}

func hash(key []byte) uint64 { return maphash.Bytes(laneSeed, key) }

// laneState says which goroutine may touch a lane.
type laneState uint8

const (
	laneIdle    laneState = iota // empty
	laneReady                    // has records and stands in the backlog's ready queue
	laneRunning                  // a runner has claimed records of it
	laneParked                   // its first record waits for its next attempt
)

// lane is a first-in-first-out queue with at most one runner at a time.
type lane struct {
	lanes    *Lanes
	state    laneState
	part     int32 // the lane's index in Chunk.parts; only Chunk.link uses it
	segments queue[segment]
	waiting  int // records in segments
	// isAside says that this is a lane aside, for the one key whose hash is key.
	isAside bool
	key     uint64
	// returned holds the items that the lane's runner could not finish, in their
	// order; only the runner touches it while the lane is running. A lane with
	// returned items is blocked: its later items must not overtake them.
	returned []Item
}

// segment is a part of one chunk: records that follow each other in a lane.
type segment struct {
	chunk   *Chunk
	next    int32 // the first record
	left    int32 // the number of records
	history history
}

// newSegment returns a segment of a chunk's records that have had no attempt.
func newSegment(c *Chunk, first, records int32) segment {
	return segment{chunk: c, next: first, left: records, history: history{limit: c.Limit}}
}

// single returns the segment of one item.
func single(it Item) segment {
	return segment{chunk: it.Chunk, next: it.Index, left: 1, history: it.history}
}

// isSpreadable reports whether l is a trunk beside which there are key lanes.
func (l *lane) isSpreadable() bool { return l == &l.lanes.trunk && l.lanes.keys != nil }

// isBlocked reports whether an item of the lane waits for another attempt, so that
// the items after it have to wait, too.
func (l *lane) isBlocked() bool { return len(l.returned) > 0 }

// setState changes the lane's state and what Lanes knows of it.
func (l *lane) setState(state laneState) {
	before := l.state
	l.state = state
	switch {
	case l.isAside && state == laneIdle:
		delete(l.lanes.aside, l.key)
	case l.isAside:
	case state == laneIdle:
		l.lanes.busy--
	case before == laneIdle:
		l.lanes.busy++
	}
}

func (l *lane) push(s segment) {
	l.segments.push(s)
	l.waiting += int(s.left)
}

// popItems appends the lane's first n items to dst, fewer if the lane has fewer.
func (l *lane) popItems(dst []Item, n int) []Item {
	n = min(n, l.waiting)
	l.waiting -= n
	for n > 0 {
		s := l.segments.first()
		for ; n > 0 && s.left > 0; n-- {
			dst = append(dst, Item{Chunk: s.chunk, Index: s.next, history: s.history, lane: l})
			l.advance(s)
		}
		if s.left == 0 {
			l.segments.pop()
		}
	}
	return dst
}

// advance moves the start of s to its next record.
func (l *lane) advance(s *segment) {
	if s.left--; s.left == 0 {
		return
	}
	if l == &l.lanes.trunk {
		s.next++
	} else {
		s.next = s.chunk.next[s.next]
	}
}

// requeueReturned puts the returned items in front of the others again.
func (l *lane) requeueReturned() {
	all := make([]segment, 0, len(l.returned)+l.segments.len())
	for _, it := range l.returned {
		all = append(all, single(it))
	}
	for l.segments.len() > 0 {
		all = append(all, l.segments.pop())
	}
	l.segments = queue[segment]{items: all}
	l.waiting += len(l.returned)
	clear(l.returned)
	l.returned = l.returned[:0]
}
