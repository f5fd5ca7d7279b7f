package kafka

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
)

// A leader is fetched from by two goroutines, each with one request at a time on
// a connection of its own. The first asks for all partitions that may be asked
// for and lets the broker hold the request for MaxWait. A partition that gets
// credit while that request is held must not wait for its end, and a request can
// only be called back by closing its connection; so the second asks for such
// partitions, and is held for joinWait only: that is the most that yet another
// partition can have to wait. When the long request ends, the first goroutine
// lets the second finish and asks for all of them again. So an idle topic costs
// one request for each MaxWait, and only in the rest of a MaxWait after a
// partition came late there is one for each joinWait.
//
// A reader asks for the next set right after it received one. The first
// goroutine waits for that a moment (askWait), unless there is something known
// to be fetched, or the partition would come late each time.
const (
	joinWait = 25 * time.Millisecond
	askWait  = 2 * time.Millisecond
)

// minPartitionBytes is what a partition is asked for at least, however many
// share MaxBytes.
const minPartitionBytes = 64 << 10

// fetchBroker is a leader of started partitions. Fetcher.mu guards it.
type fetchBroker struct {
	f             *Fetcher
	id            int32
	cursors       []*cursor
	changed       *sync.Cond // of Fetcher.mu: a cursor, a lane or the Fetcher has changed
	first, second lane
	quietUntil    time.Time // the broker asked to be left alone until then
	backoff       backoff.Backoff
	failing       bool // since the last request, which was logged
}

// lane is one of the goroutines that fetch from a broker.
type lane struct {
	broker  *fetchBroker
	running bool
	request *laneRequest // under way
	timer   *time.Timer
}

// laneRequest is a request and the cursors it is for.
type laneRequest struct {
	message *fetchRequest
	cursors []*cursor
	held    bool // the broker will hold it, as far as is known
	live    int  // cursors that were not dropped
	// reserved is the memory that the answer may take; beyond says that the request
	// was sent although no memory was free.
	reserved int64
	beyond   bool
	ctx      context.Context
	cancel   context.CancelFunc
}

func newFetchBroker(f *Fetcher, id int32) *fetchBroker {
	b := &fetchBroker{f: f, id: id, changed: sync.NewCond(&f.mu)}
	b.first.broker, b.second.broker = b, b
	return b
}

func (b *fetchBroker) remove(c *cursor) {
	if i := slices.Index(b.cursors, c); i >= 0 {
		b.cursors = slices.Delete(b.cursors, i, i+1)
	}
}

// start runs the lanes; they end when the broker has no cursors. Needs mu.
func (b *fetchBroker) start() {
	for _, l := range []*lane{&b.first, &b.second} {
		if !l.running {
			l.running = true
			b.f.tasks.Go(l.run)
		}
	}
}

func (l *lane) run() {
	for {
		r := l.next()
		if r == nil {
			return
		}
		res, err := l.broker.f.client.fetch(r.ctx, r.message)
		r.cancel()
		l.broker.f.settle(l, r, res, err)
	}
}

// next waits until there is something to ask for; nil ends the lane.
func (l *lane) next() *laneRequest {
	f := l.broker.f
	f.mu.Lock()
	defer f.mu.Unlock()
	for len(l.broker.cursors) > 0 {
		due, wait := l.due(time.Now())
		if due {
			l.request = l.compose()
			// The second lane may have waited for this one to be busy.
			l.broker.changed.Broadcast()
			return l.request
		}
		if wait > 0 {
			l.wakeIn(wait)
		}
		l.broker.changed.Wait()
	}
	l.running = false
	return nil
}

// due reports whether to ask now; if not, wait is when to look again even if
// nothing changes, 0 for never. Needs mu.
func (l *lane) due(now time.Time) (due bool, wait time.Duration) {
	b := l.broker
	asked, _ := l.affordable()
	behind := slices.ContainsFunc(asked, (*cursor).behind)
	for _, c := range b.cursors {
		if c.credit == 0 && !c.halted {
			wait = max(wait, c.servedAt.Add(askWait).Sub(now))
		}
	}
	quiet := b.quietUntil.Sub(now)
	switch {
	case len(asked) == 0 && slices.ContainsFunc(b.cursors, (*cursor).ready):
		return false, memoryWait
	case len(asked) == 0:
		return false, 0
	case quiet > 0:
		return false, quiet
	case l == &b.second:
		return b.first.request != nil, 0
	case b.second.request != nil && b.second.request.held:
		return false, 0
	case behind || wait <= 0:
		return true, 0
	default:
		return false, wait
	}
}

// compose builds a request for all cursors that are ready, those first that were
// served the longest time ago: an answer that is full leaves out the last ones.
// Needs mu.
func (l *lane) compose() *laneRequest {
	b, f := l.broker, l.broker.f
	share := max(f.cfg.MaxBytes/int32(len(b.cursors)), minPartitionBytes)
	r := &laneRequest{message: &fetchRequest{
		broker:        b.id,
		clientID:      f.client.cfg.ClientID,
		topic:         f.cfg.Topic,
		maxWait:       f.cfg.MaxWait,
		minBytes:      f.cfg.MinBytes,
		maxBytes:      f.cfg.MaxBytes,
		readCommitted: f.readCommitted(),
		pool:          f.pool,
	}}
	if l == &b.second {
		r.message.maxWait = min(joinWait, f.cfg.MaxWait)
	}
	r.cursors, r.beyond = l.affordable()
	slices.SortFunc(r.cursors, func(x, y *cursor) int { return cmp.Compare(x.turn, y.turn) })
	r.held = !slices.ContainsFunc(r.cursors, (*cursor).behind)
	l.reserve(r)
	for _, c := range r.cursors {
		limit := max(min(share, f.cfg.MaxPartitionBytes, r.message.maxBytes), c.limit)
		r.message.partitions = append(r.message.partitions, fetchPartition{c.partition, c.leaderEpoch, c.position, limit, c.account})
		if c.end < 0 {
			// The watermarks of an idle partition are news too: have them now.
			r.message.maxWait = 0
		}
		c.busy, c.request = true, r
	}
	r.live = len(r.cursors)
	r.ctx, r.cancel = context.WithCancel(f.ctx)
	return r
}

// wakeIn makes the lane look again after d. Needs mu.
func (l *lane) wakeIn(d time.Duration) {
	if l.timer != nil {
		l.timer.Reset(d)
		return
	}
	l.timer = time.AfterFunc(d, func() {
		l.broker.f.mu.Lock()
		defer l.broker.f.mu.Unlock()
		l.broker.changed.Broadcast()
	})
}
