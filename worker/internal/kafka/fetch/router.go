package fetch

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// router gives the cursors without a broker to the leaders of their partitions.
// It has one goroutine, that of run.
type router struct {
	client  *kafka.Client
	cfg     *Config
	table   *cursorTable
	pollers *pollers
	maker   *setMaker
	outlet  *setOutlet
	ctx     context.Context // ends with Fetcher.Close
}

// run routes cursors until Close.
func (r *router) run() {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for r.ctx.Err() == nil {
		due, wait := r.table.withoutBroker(time.Now())
		if len(due) > 0 {
			r.route(due)
			continue
		}
		var alarm <-chan time.Time
		if wait > 0 {
			timer.Reset(wait)
			alarm = timer.C
		}
		select {
		case <-r.ctx.Done():
		case <-r.table.unrouted:
		case <-alarm:
		}
	}
}

// route looks up the leaders of all cursors at once.
func (r *router) route(cursors []*cursor) {
	partitions := make([]int32, len(cursors))
	for i, c := range cursors {
		partitions[i] = c.partition
	}
	leaders := r.client.LeadersOf(r.ctx, r.cfg.Topic, partitions)
	ends := r.askEpochEnds(cursors, leaders)
	if r.ctx.Err() == nil {
		for _, d := range r.attachAll(cursors, leaders, ends) {
			r.outlet.deliver(d)
		}
	}
}

// askEpochEnds asks the new leaders for the ends of the epochs of the last records
// that were read, for cursors that know the epoch: all leaders at the same time.
func (r *router) askEpochEnds(cursors []*cursor, leaders map[int32]kafka.Leader) map[int32]epochEnd {
	ends := make(map[int32]epochEnd)
	var mu sync.Mutex // guards ends
	var asked sync.WaitGroup
	for leader, questions := range r.epochQuestions(cursors, leaders) {
		asked.Go(func() {
			answers := askEpochEnds(r.ctx, r.client, leader, r.cfg.Topic, questions)
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(ends, answers)
		})
	}
	asked.Wait()
	return ends
}

func (r *router) epochQuestions(cursors []*cursor, leaders map[int32]kafka.Leader) map[int32][]epochQuestion {
	r.table.mu.Lock()
	defer r.table.mu.Unlock()
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
// when its topic was deleted, and another topic may have its name by now. Needs the
// table's mu.
func (r *router) lookAgain(c *cursor) {
	if c.broker != nil && c.credit == 0 && !c.busy && !c.halted && time.Since(c.servedAt) > lookAgainAfter {
		r.client.ForgetLeaders(r.cfg.Topic)
		r.table.reroute(c, 0)
	}
}

// attachAll attaches cursors to their leaders. It returns the sets that report
// errors which no retry removes.
func (r *router) attachAll(cursors []*cursor, leaders map[int32]kafka.Leader, ends map[int32]epochEnd) (out []delivery) {
	r.table.mu.Lock()
	defer r.table.mu.Unlock()
	failed := failures{topic: r.cfg.Topic}
	for _, c := range cursors {
		c.tries++
		l := leaders[c.partition]
		switch err := l.Err; {
		case c.dropped:
		case c.recreated(l.TopicID):
			out = append(out, c.spend(r.maker.haltedSet(c, &TopicRecreatedError{
				Topic: r.cfg.Topic, Partition: c.partition, Offset: c.position, Former: c.topicID, Present: l.TopicID,
			})))
		case err == nil:
			end, asked := ends[c.partition]
			if set := r.verify(c, end, asked, &failed); set != nil {
				out = append(out, c.spend(set))
			} else if !asked || !kafka.Retriable(end.err) {
				c.leaderEpoch = l.Epoch
				r.pollers.attach(c, l.Broker)
			}
		case kafka.Retriable(err) || errors.Is(err, kafka.ErrTopicNotFound):
			// A topic may be deleted and created again while its reader runs.
			failed.add(c, fmt.Errorf("no leader: %w", err))
		default:
			out = append(out, r.maker.haltAll([]*cursor{c}, fmt.Errorf("look up the leader: %w", err))...)
		}
	}
	failed.finish(r.table, r.cfg.Logger)
	return out
}

// verify compares a position with the end of the epoch of the last record before it,
// and returns a set for the reader if the log does not have the position any more. If
// the broker does not answer such questions, or not to this user, the position counts
// as valid. Needs the table's mu.
func (r *router) verify(c *cursor, end epochEnd, asked bool, failed *failures) *batch.Set {
	switch {
	case !asked:
		return nil
	case kafka.Retriable(end.err):
		r.client.ForgetLeaders(r.cfg.Topic)
		failed.add(c, end.err)
		return nil
	case end.err != nil || end.epoch < 0 || end.end < 0 || end.end >= c.position:
		return nil
	default:
		return r.maker.haltedSet(c, &TruncatedError{Topic: r.cfg.Topic, Partition: c.partition, Offset: c.position, Divergence: end.end})
	}
}
