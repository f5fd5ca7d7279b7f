package dispatch

import "time"

const (
	// maxClaim bounds the records of a claim: enough to make the cost of the lock
	// vanish, few enough that the goroutines end together. It is a whole chunk, so
	// that goroutines need not share a chunk while there are several.
	maxClaim = 256
	// claimTime is how long a claim should keep a goroutine busy. Slow records are
	// claimed one by one, so that no goroutine holds back records that others could
	// run.
	claimTime = 500 * time.Microsecond
)

// backlog holds the records that no goroutine has claimed, and those that have to be
// tried again. Pool.mu guards it.
type backlog struct {
	crew      *crew
	batchSize int

	chunks  queue[*Chunk] // Unordered, not fully claimed
	retries queue[Item]   // without an order, due for another attempt
	ready   queue[*lane]  // lanes that have records and no runner
	queued  int           // records in chunks, retries and ready

	// perRecord is how long a goroutine took for a record of its last claim, on
	// average; 0 if that is not known yet. Records that take at most light stay in
	// the trunk.
	perRecord, light time.Duration
}

// add queues a chunk. The caller wakes goroutines for it.
func (b *backlog) add(c *Chunk) {
	if c.Lanes != nil {
		b.addOrdered(c)
		return
	}
	b.chunks.push(c)
	b.queued += len(c.Records)
}

// addToLane queues records in a lane.
func (b *backlog) addToLane(l *lane, s segment) {
	l.push(s)
	switch l.state {
	case laneIdle:
		l.setState(laneReady)
		b.ready.push(l)
		b.queued += int(s.left)
	case laneReady:
		b.queued += int(s.left)
	case laneRunning, laneParked:
		// makeReady counts them.
	}
}

// makeReady queues a lane whose turn or wait is over.
func (b *backlog) makeReady(l *lane) {
	l.setState(laneReady)
	b.ready.push(l)
	b.queued += l.waiting
	b.crew.wake.Signal()
}

// retry queues items that have no order for another attempt.
func (b *backlog) retry(items []Item) {
	for _, it := range items {
		b.retries.push(it)
	}
	b.queued += len(items)
	b.crew.wakeFor(len(items))
}

// fill adds items to an empty claim: at most the share of the queued records that is
// fair to the other goroutines. perRecord is how long the claim's goroutine takes
// for a record.
func (b *backlog) fill(c *claim, perRecord time.Duration) {
	want := b.fairShare(perRecord)
	for len(c.items) < want && b.retries.len() > 0 {
		c.items = append(c.items, b.retries.pop())
		b.queued--
	}
	for len(c.items) < want && b.chunks.len() > 0 {
		b.fillFromChunk(c, want)
	}
	for len(c.items) < want && b.ready.len() > 0 {
		b.fillFromLane(c, want)
	}
}

func (b *backlog) fairShare(perRecord time.Duration) int {
	n := min((b.queued+b.crew.size-1)/b.crew.size, maxClaim)
	if perRecord == 0 {
		n = 1 // the goroutine has not measured a record yet
	} else {
		n = min(n, int(claimTime/perRecord))
	}
	return max(n, min(b.batchSize, b.queued), 1)
}

// fillFromChunk adds items of the first chunk until the claim has want items.
func (b *backlog) fillFromChunk(c *claim, want int) {
	ch := *b.chunks.first()
	n := min(want-len(c.items), len(ch.Records)-ch.claimed)
	for i := ch.claimed; i < ch.claimed+n; i++ {
		c.items = append(c.items, Item{Chunk: ch, Index: int32(i), history: history{limit: ch.Limit}})
	}
	ch.claimed += n
	b.queued -= n
	if ch.claimed == len(ch.Records) {
		b.chunks.pop()
	}
}

// fillFromLane begins a turn of the first ready lane and adds its items until the
// claim has want items.
func (b *backlog) fillFromLane(c *claim, want int) {
	l := b.ready.pop()
	b.queued -= l.waiting
	l.setState(laneRunning)
	before := len(c.items)
	if len(l.lanes.aside) == 0 || l.isAside {
		c.items = l.popItems(c.items, want-before)
	} else if c.items = b.popUntroubled(c.items, l, want-before); len(c.items) == before {
		l.setState(laneIdle) // all items went to lanes aside
		return
	}
	c.turns = append(c.turns, turn{lane: l})
}
