package kafka

import (
	"time"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
)

// cursor is where the fetching of one started partition stands. Fetcher.mu
// guards it.
type cursor struct {
	partition int32
	epoch     uint64
	position  int64 // the next offset to ask for
	// topicID is the id of the topic that position belongs to, lastEpoch the leader
	// epoch of the record before it. They are zero and -1 while they are unknown.
	topicID   TopicID
	lastEpoch int32
	credit    int // sets that may still be delivered
	account   *batch.Account
	limit     int32 // bytes to ask for if one batch needs more than usual; 0 if not
	dropped   bool  // stopped, or started again as another cursor
	halted    bool  // can't be fetched on; the reader was told why

	// broker is where it is fetched; nil while the leader is looked for, from
	// retryAt on.
	broker      *fetchBroker
	leaderEpoch int32 // of broker; -1 is unknown
	retryAt     time.Time
	backoff     backoff.Backoff
	trouble     string // what was logged last about it; "" if all is well
	tries       uint64 // requests and look-ups of the leader that have ended

	// request is the one that it is part of. busy stays set until its set is
	// delivered, which keeps the sets of a partition in order.
	request  *laneRequest
	busy     bool
	servedAt time.Time // when the last set was delivered
	turn     uint64    // the Fetcher's count of sets when records came last

	end   int64      // where the records to read end, as last answered; -1 unknown
	shown watermarks // of the last set
}

// watermarks are a partition's offsets as a broker answers them.
type watermarks struct{ high, stable, start int64 }

var unknownWatermarks = watermarks{-1, -1, -1}

func newCursor(partition int32, epoch uint64, at Position, a *batch.Account) *cursor {
	return &cursor{
		partition: partition, epoch: epoch, position: at.Offset, topicID: at.TopicID, lastEpoch: at.LeaderEpoch,
		leaderEpoch: -1, credit: 1, end: -1, shown: unknownWatermarks, account: a,
	}
}

// ready reports whether the partition may be asked for.
func (c *cursor) ready() bool { return c.credit > 0 && !c.busy && !c.halted }

// behind reports whether a broker would answer at once, as far as is known.
func (c *cursor) behind() bool { return c.end < 0 || c.position < c.end }

// Tries returns how often the Fetcher has asked for a partition or its leader since
// its Start, with or without success. The number grows as long as the Fetcher waits
// for the partition: while there is no leader, no broker, or nothing new.
func (f *Fetcher) Tries(partition int32) uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c := f.cursors[partition]; c != nil {
		return c.tries
	}
	return 0
}

// drop ends a cursor; nil is allowed. Needs mu.
func (f *Fetcher) drop(c *cursor) {
	if c == nil {
		return
	}
	c.dropped = true
	delete(f.cursors, c.partition)
	f.detach(c)
	if r := c.request; r != nil {
		c.request = nil
		if r.live--; r.live == 0 {
			// Nobody is left to read the answer: don't hold a connection and
			// the broker's purgatory for it.
			r.cancel()
		}
	}
}

// detach takes a cursor from its broker. Needs mu.
func (f *Fetcher) detach(c *cursor) {
	b := c.broker
	if b == nil {
		return
	}
	c.broker = nil
	b.remove(c)
	b.changed.Broadcast()
}

// attach gives a cursor to the broker that leads its partition. Needs mu.
func (f *Fetcher) attach(c *cursor, id int32) {
	b := f.brokers[id]
	if b == nil {
		b = newFetchBroker(f, id)
		f.brokers[id] = b
		f.pool.SetLimit(int(min(int64(len(f.brokers))*int64(f.cfg.MaxBytes), f.cfg.MaxMemory/4)))
	}
	c.broker = b
	b.cursors = append(b.cursors, c)
	b.start()
	b.changed.Broadcast()
}

// park takes a cursor from its broker and has its leader looked for after a
// while. Needs mu.
func (f *Fetcher) park(c *cursor, wait time.Duration) {
	f.detach(c)
	c.end = -1
	c.retryAt = time.Now().Add(wait)
	f.unrouted.Notify()
}
