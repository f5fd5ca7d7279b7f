package fetch

import (
	"time"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/trouble"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// cursor is the state of fetching one started partition. cursorTable.mu guards it.
type cursor struct {
	partition int32
	epoch     uint64
	position  int64 // the next offset to ask for
	// topicID is the id of the topic that position belongs to, lastEpoch the leader
	// epoch of the record before it. They are zero and -1 while they are unknown.
	topicID   kafka.TopicID
	lastEpoch int32
	credit    int // sets that may still be delivered
	account   *batch.Account
	limit     int32 // bytes to ask for if one batch needs more than usual; 0 if not
	dropped   bool  // stopped, or started again as another cursor
	halted    bool  // the last set has told the reader why no more come

	// broker leads the partition; nil while the router looks for the leader, from
	// retryAt on.
	broker      *leader
	leaderEpoch int32 // of broker; -1 is unknown
	retryAt     time.Time
	backoff     backoff.Backoff
	failing     trouble.Streak
	tries       uint64 // requests and look-ups of the leader that have ended

	// request is the request under way for the partition. busy stays set until its
	// set is delivered, which keeps the sets of a partition in order.
	request  *pollRequest
	busy     bool
	servedAt time.Time // when the last set was delivered
	turn     uint64    // cursorTable.served when records came last

	end   int64      // the end of the records to read, in the last response; -1 unknown
	shown watermarks // of the last set
}

// watermarks are a partition's offsets in a broker's response.
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

// behind reports whether a broker would respond at once, as far as is known.
func (c *cursor) behind() bool { return c.end < 0 || c.position < c.end }

// needs returns how many bytes a response about the partition takes at least.
func (c *cursor) needs() int64 { return max(c.account.Batch, int64(c.limit), minPartitionBytes) }

// recreated reports whether the cursor belongs to a topic that is gone. It returns
// false if the brokers don't send the topics' ids.
func (c *cursor) recreated(now kafka.TopicID) bool {
	return c.topicID != (kafka.TopicID{}) && now != (kafka.TopicID{}) && c.topicID != now
}

// enlarge raises the limit of the partition, for a first batch that came cut. Brokers
// send that batch whole whatever the limit is; this is for those that do not. It
// returns false if the limit was that high already.
func (c *cursor) enlarge(bytes int) bool {
	if int32(bytes) <= c.limit {
		return false
	}
	c.limit = int32(bytes)
	return true
}

// delivery is a set and the cursor it came from.
type delivery struct {
	cursor *cursor
	set    *batch.Set
}

// spend takes credit for a set that will be delivered.
func (c *cursor) spend(set *batch.Set) delivery {
	c.credit--
	c.servedAt = time.Now()
	return delivery{c, set}
}
