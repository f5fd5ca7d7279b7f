package kafka

import (
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
)

// route gives the cursors without a broker to their leaders until Close.
func (f *Fetcher) route() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for f.ctx.Err() == nil {
		due, wait := f.homeless(time.Now())
		if len(due) > 0 {
			f.find(due)
			continue
		}
		var alarm <-chan time.Time
		if wait > 0 {
			timer.Reset(wait)
			alarm = timer.C
		}
		select {
		case <-f.ctx.Done():
		case <-f.unrouted:
		case <-alarm:
		}
	}
}

// homeless returns the cursors to look up a leader for now, or how long until
// there are some; 0 is never.
func (f *Fetcher) homeless(now time.Time) (due []*cursor, wait time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, c := range f.cursors {
		if c.broker != nil || c.halted {
			continue
		}
		left := c.retryAt.Sub(now)
		if left <= 0 {
			due = append(due, c)
		} else if wait == 0 || left < wait {
			wait = left
		}
	}
	return due, wait
}

// find looks up the leaders of all cursors at once.
func (f *Fetcher) find(cursors []*cursor) {
	partitions := make([]int32, len(cursors))
	for i, c := range cursors {
		partitions[i] = c.partition
	}
	leaders := f.client.LeadersOf(f.ctx, f.cfg.Topic, partitions)
	ends := f.askEpochEnds(cursors, leaders)
	if f.ctx.Err() == nil {
		for _, d := range f.found(cursors, leaders, ends) {
			f.deliver(d)
		}
	}
}

// askEpochEnds asks the new leaders where the epochs of the last records that were
// read end, for cursors that know it: all leaders at the same time.
func (f *Fetcher) askEpochEnds(cursors []*cursor, leaders map[int32]Leader) map[int32]epochEnd {
	ends := make(map[int32]epochEnd)
	var mu sync.Mutex // guards ends
	var asked sync.WaitGroup
	for leader, questions := range f.epochQuestions(cursors, leaders) {
		asked.Go(func() {
			answers := f.client.epochEnds(f.ctx, leader, f.cfg.Topic, questions)
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(ends, answers)
		})
	}
	asked.Wait()
	return ends
}

func (f *Fetcher) epochQuestions(cursors []*cursor, leaders map[int32]Leader) map[int32][]epochQuestion {
	f.mu.Lock()
	defer f.mu.Unlock()
	byLeader := make(map[int32][]epochQuestion)
	for _, c := range cursors {
		l := leaders[c.partition]
		if l.Err != nil || c.lastEpoch < 0 || l.Epoch < 0 || l.Epoch == c.leaderEpoch || c.recreated(l.TopicID) {
			continue
		}
		byLeader[l.Broker] = append(byLeader[l.Broker], epochQuestion{c.partition, l.Epoch, c.lastEpoch})
	}
	return byLeader
}

// lookAgainAfter is how long a partition may go without a request before its
// leader is looked up again.
const lookAgainAfter = 10 * time.Second

// lookAgain looks up a partition's leader again after the reader has not asked
// for the partition for some time. Without a request under way nothing has failed
// when its topic was deleted, and another topic may have its name now. Needs mu.
func (f *Fetcher) lookAgain(c *cursor) {
	if c.broker != nil && c.credit == 0 && !c.busy && !c.halted && time.Since(c.servedAt) > lookAgainAfter {
		f.client.forgetLeaders(f.cfg.Topic)
		f.park(c, 0)
	}
}

// recreated reports whether the cursor belongs to a topic that is gone. It is
// false if the brokers don't send the topics' ids.
func (c *cursor) recreated(now TopicID) bool {
	return c.topicID != (TopicID{}) && now != (TopicID{}) && c.topicID != now
}

func (f *Fetcher) found(cursors []*cursor, leaders map[int32]Leader, ends map[int32]epochEnd) (out []delivery) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var failed troubles
	for _, c := range cursors {
		c.tries++
		l := leaders[c.partition]
		switch err := l.Err; {
		case c.dropped:
		case c.recreated(l.TopicID):
			out = append(out, f.spend(c, f.fatalSet(c, &TopicRecreatedError{
				Topic: f.cfg.Topic, Partition: c.partition, Offset: c.position, Former: c.topicID, Present: l.TopicID,
			})))
		case err == nil:
			end, asked := ends[c.partition]
			if set := f.verify(c, end, asked, &failed); set != nil {
				out = append(out, f.spend(c, set))
			} else if !asked || !Retriable(end.err) {
				c.leaderEpoch = l.Epoch
				f.attach(c, l.Broker)
			}
		case Retriable(err) || errors.Is(err, ErrTopicNotFound):
			// A topic may be deleted and created again while its reader runs.
			failed.add(c, fmt.Errorf("no leader: %w", err))
		default:
			out = append(out, f.allFailed([]*cursor{c}, fmt.Errorf("look up the leader: %w", err))...)
		}
	}
	failed.settle(f)
	return out
}

// verify judges a position by where the epoch of the last record before it ends,
// and returns a set for the reader if the position is not in the log any more. If the
// broker does not answer such questions, or not to this user, the position counts as
// valid. Needs mu.
func (f *Fetcher) verify(c *cursor, end epochEnd, asked bool, failed *troubles) *batch.Set {
	switch {
	case !asked:
		return nil
	case Retriable(end.err):
		f.client.forgetLeaders(f.cfg.Topic)
		failed.add(c, end.err)
		return nil
	case end.err != nil || end.epoch < 0 || end.end < 0 || end.end >= c.position:
		return nil
	default:
		return f.fatalSet(c, &TruncatedError{Topic: f.cfg.Topic, Partition: c.partition, Offset: c.position, Divergence: end.end})
	}
}
