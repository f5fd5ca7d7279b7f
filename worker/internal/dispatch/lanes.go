package dispatch

import (
	"hash/maphash"

	"github.com/millrace-dev/millrace/worker/internal/record"
)

// Lanes are the queues of one partition. Records of one lane run one after
// another in their order; a stuck record holds up its own lane and no other
// partition's. Guarded by the Pool's mutex.
//
// All records can go through the trunk. Those of keys can go through lanes that
// they share by hash instead, which branch off of it: while one has records, the
// trunk has none, and the other way round. A key in trouble leaves both for a lane
// aside, so that the keys it shared a lane with need not wait for it.
type Lanes struct {
	trunk lane
	keys  []lane // a power of two of them; nil if all records keep one order
	busy  int    // lanes that are not idle, those aside left out

	// aside are the lanes of keys in trouble, by the key's hash. None of them is
	// idle. What they hold of a key comes before what the other lanes do.
	aside map[uint64]*lane

	// branched says that the last chunk went to the lanes of the keys. Only who
	// pushes uses it.
	branched bool
}

// laneSeed makes the lane of a key independent of its partition: were both
// taken from Kafka's murmur2, the keys of one partition would share few lanes.
var laneSeed = maphash.MakeSeed()

// NewKeyLanes returns n lanes, n a power of two, that records are spread over
// by key. Records with a null key have no order.
func NewKeyLanes(n int) *Lanes {
	l := &Lanes{keys: make([]lane, n)}
	l.trunk.set = l
	for i := range l.keys {
		l.keys[i].set = l
	}
	return l
}

// NewPartitionLane returns the single lane of a partition whose records run in
// their order.
func NewPartitionLane() *Lanes {
	l := &Lanes{}
	l.trunk.set = l
	return l
}

// of returns the lane that a record shares with those of other keys.
func (l *Lanes) of(rec *record.Record) *lane {
	n := uint64(rec.Offset) // spreads records with a null key
	if rec.Key != nil {
		n = hash(rec.Key)
	}
	return &l.keys[n&uint64(len(l.keys)-1)]
}

func hash(key []byte) uint64 { return maphash.Bytes(laneSeed, key) }

// laneState says who may touch a lane.
type laneState uint8

const (
	laneIdle    laneState = iota // empty
	laneReady                    // has items and stands in the pool's ready queue
	laneRunning                  // a runner has claimed items of it
	laneParked                   // its first item waits out a backoff
)

// lane is a first-in-first-out queue with at most one runner at a time.
type lane struct {
	set     *Lanes
	state   laneState
	part    int32 // that Chunk.link made last for the lane; only link uses it
	stretch queue[stretch]
	waiting int // records in stretch
	// alone says that the lane is aside and holds one key, whose hash is key.
	alone bool
	key   uint64
	// back holds what the lane's runner could not finish, in order; only the
	// runner touches it while the lane is running. A lane with something in
	// it is blocked: its later items must not overtake.
	back []Item
}

// stretch is records of one chunk that follow each other in a lane.
type stretch struct {
	chunk *Chunk
	next  int32
	left  int32
	past  past // of all of them
}

// single is the stretch of one item.
func single(it Item) stretch {
	return stretch{chunk: it.Chunk, next: it.Index, left: 1, past: it.past}
}

// branches reports whether l is a trunk that lanes of keys branch off of.
func (l *lane) branches() bool { return l == &l.set.trunk && l.set.keys != nil }

// to changes the lane's state.
func (l *lane) to(state laneState) {
	was := l.state
	l.state = state
	switch {
	case l.alone && state == laneIdle:
		delete(l.set.aside, l.key)
	case l.alone:
	case state == laneIdle:
		l.set.busy--
	case was == laneIdle:
		l.set.busy++
	}
}

func (l *lane) push(s stretch) {
	l.stretch.push(s)
	l.waiting += int(s.left)
}

// take moves up to n items to dst.
func (l *lane) take(dst []Item, n int) []Item {
	n = min(n, l.waiting)
	l.waiting -= n
	for n > 0 {
		s := l.stretch.first()
		for ; n > 0 && s.left > 0; n-- {
			dst = append(dst, Item{Chunk: s.chunk, Index: s.next, past: s.past, lane: l})
			l.advance(s)
		}
		if s.left == 0 {
			l.stretch.pop()
		}
	}
	return dst
}

// advance moves s on by a record.
func (l *lane) advance(s *stretch) {
	if s.left--; s.left == 0 {
		return
	}
	if l == &l.set.trunk {
		s.next++
	} else {
		s.next = s.chunk.next[s.next]
	}
}

// restore puts what the runner returned before what came since.
func (l *lane) restore() {
	all := make([]stretch, 0, len(l.back)+l.stretch.len())
	for _, it := range l.back {
		all = append(all, single(it))
	}
	for l.stretch.len() > 0 {
		all = append(all, l.stretch.pop())
	}
	l.stretch = queue[stretch]{items: all}
	l.waiting += len(l.back)
	clear(l.back)
	l.back = l.back[:0]
}
