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
	state laneState
	items queue[Item]
	// back holds what the lane's runner could not finish, in order; only the
	// runner touches it while the lane is running. A lane with something in
	// it is blocked: its later items must not overtake.
	back []Item
}

// take moves up to n items to dst.
func (l *lane) take(dst []Item, n int) []Item {
	for n = min(n, l.items.len()); n > 0; n-- {
		dst = append(dst, l.items.pop())
	}
	return dst
}

// restore puts what the runner returned before what came since.
func (l *lane) restore() {
	items := make([]Item, 0, len(l.back)+l.items.len())
	items = append(items, l.back...)
	for l.items.len() > 0 {
		items = append(items, l.items.pop())
	}
	l.items = queue[Item]{items: items}
	clear(l.back)
	l.back = l.back[:0]
}
