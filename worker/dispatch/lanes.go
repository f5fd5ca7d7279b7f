package dispatch

import (
	"hash/maphash"

	"github.com/millrace-dev/millrace/worker/record"
)

// Lanes are the queues of one partition. Records of one lane run one after
// another in their order; a stuck record holds up its own lane and no other
// partition's. Guarded by the Pool's mutex.
type Lanes struct {
	lanes []lane
	byKey bool
}

// laneSeed makes the lane of a key independent of its partition: were both
// taken from Kafka's murmur2, the keys of one partition would share few lanes.
var laneSeed = maphash.MakeSeed()

// NewKeyLanes returns n lanes, n a power of two, that records are spread over
// by key; records with a null key share one.
func NewKeyLanes(n int) *Lanes { return &Lanes{lanes: make([]lane, n), byKey: true} }

// NewPartitionLane returns the single lane of a partition whose records run in
// their order.
func NewPartitionLane() *Lanes { return &Lanes{lanes: make([]lane, 1)} }

func (l *Lanes) of(rec *record.Record) *lane {
	if !l.byKey || rec.Key == nil {
		return &l.lanes[0]
	}
	return &l.lanes[maphash.Bytes(laneSeed, rec.Key)&uint64(len(l.lanes)-1)]
}

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
	state   laneState
	part    int32 // that Chunk.link made last for the lane; only link uses it
	stretch queue[stretch]
	waiting int // records in stretch
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
			dst = append(dst, Item{Chunk: s.chunk, Index: s.next, lane: l})
			if s.left--; s.left > 0 {
				s.next = s.chunk.next[s.next]
			}
		}
		if s.left == 0 {
			l.stretch.pop()
		}
	}
	return dst
}

// restore puts what the runner returned before what came since.
func (l *lane) restore() {
	all := make([]stretch, 0, len(l.back)+l.stretch.len())
	for _, it := range l.back {
		all = append(all, stretch{chunk: it.Chunk, next: it.Index, left: 1})
	}
	for l.stretch.len() > 0 {
		all = append(all, l.stretch.pop())
	}
	l.stretch = queue[stretch]{items: all}
	l.waiting += len(l.back)
	clear(l.back)
	l.back = l.back[:0]
}
