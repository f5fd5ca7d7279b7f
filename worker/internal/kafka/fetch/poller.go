package fetch

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/internal/kafka/trouble"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// Two pollers fetch from a leader, each with its own goroutine and one request at a
// time on its own connection. The first asks for all partitions that may be asked for
// and lets the broker hold the request for MaxWait. A partition that gets credit while
// the broker holds that request must not wait for its end, and only closing the
// connection ends such a request. So the second poller asks for these partitions. The
// broker holds its requests for joinWait only, which bounds the wait of yet another
// partition. When the long request ends, the first poller lets the second one finish
// and asks for all partitions again. So an idle topic costs one request for each
// MaxWait, and one more for each joinWait only in the rest of a MaxWait after a
// partition came late.
//
// A reader asks for the next set right after it received one. The first poller waits
// a moment for that (askWait), unless it knows of records to fetch; otherwise the
// partition would come late each time.
const (
	joinWait = 25 * time.Millisecond
	askWait  = 2 * time.Millisecond
)

// minPartitionBytes is the least number of bytes to ask for of a partition, however
// many partitions share MaxBytes.
const minPartitionBytes = 64 << 10

// pollers runs the pollers of a Fetcher. They share its fields.
type pollers struct {
	client    *kafka.Client
	cfg       *Config
	table     *cursorTable
	memory    *memory
	responses *responseHandler
	ctx       context.Context // ends with Fetcher.Close
	tasks     *sync.WaitGroup
}

// attach gives a cursor to the broker that leads its partition. Needs the table's mu.
func (p *pollers) attach(c *cursor, id int32) {
	b := p.table.brokers[id]
	if b == nil {
		b = &leader{id: id, changed: sync.NewCond(&p.table.mu)}
		b.first = poller{pollers: p, broker: b}
		b.second = poller{pollers: p, broker: b}
		p.table.brokers[id] = b
		p.memory.keepUnusedFor(len(p.table.brokers), p.cfg)
	}
	c.broker = b
	b.cursors = append(b.cursors, c)
	b.first.start()
	b.second.start()
	b.changed.Broadcast()
}

// leader is a leader of started partitions. cursorTable.mu guards it.
type leader struct {
	id            int32
	cursors       []*cursor
	changed       *sync.Cond // of cursorTable.mu: a cursor, a poller or the Fetcher has changed
	first, second poller
	quietUntil    time.Time // the broker has asked for no requests until then
	backoff       backoff.Backoff
	failing       trouble.Streak
}

func (b *leader) remove(c *cursor) {
	if i := slices.Index(b.cursors, c); i >= 0 {
		b.cursors = slices.Delete(b.cursors, i, i+1)
	}
}

// beyondBudget reports whether a request beyond the budget is under way. Needs mu.
func (b *leader) beyondBudget() bool {
	for _, p := range []*poller{&b.first, &b.second} {
		if p.request != nil && p.request.beyond {
			return true
		}
	}
	return false
}

// poller fetches from a broker, one request after the other. cursorTable.mu guards it.
type poller struct {
	*pollers
	broker  *leader
	running bool
	request *pollRequest // under way
	timer   *time.Timer
}

// pollRequest is a request and the cursors it is for.
type pollRequest struct {
	message *request
	cursors []*cursor
	held    bool // the broker will hold it, as far as is known
	live    int  // cursors that were not dropped
	// reserved is the memory that the response may take; beyond says that the poller
	// sent the request although no memory was free.
	reserved int64
	beyond   bool
	ctx      context.Context
	cancel   context.CancelFunc
}

// start runs the poller, unless it runs already. Needs mu.
func (p *poller) start() {
	if !p.running {
		p.running = true
		p.tasks.Go(p.run)
	}
}

// run fetches until the broker has no cursors.
func (p *poller) run() {
	for {
		r := p.next()
		if r == nil {
			return
		}
		res, err := send(r.ctx, p.client, r.message)
		r.cancel()
		p.responses.handleResponse(p, r, res, err)
	}
}

// next waits until there is something to ask for. It returns nil when the poller is
// to end.
func (p *poller) next() *pollRequest {
	p.table.mu.Lock()
	defer p.table.mu.Unlock()
	for len(p.broker.cursors) > 0 {
		due, wait := p.due(time.Now())
		if due {
			p.request = p.compose()
			// The second poller may have waited until this one is busy.
			p.broker.changed.Broadcast()
			return p.request
		}
		if wait > 0 {
			p.wakeIn(wait)
		}
		p.broker.changed.Wait()
	}
	p.running = false
	return nil
}

// due reports whether to ask now. If not, wait is the time after which to look again
// even if nothing changes, 0 for never. Needs mu.
func (p *poller) due(now time.Time) (due bool, wait time.Duration) {
	b := p.broker
	asked, _ := p.affordable()
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
	case p == &b.second:
		return b.first.request != nil, 0
	case b.second.request != nil && b.second.request.held:
		return false, 0
	case behind || wait <= 0:
		return true, 0
	default:
		return false, wait
	}
}

// compose builds a request for all cursors that are ready. Those that got records the
// longest time ago come first: a full response leaves out the last ones. Needs mu.
func (p *poller) compose() *pollRequest {
	b, cfg := p.broker, p.cfg
	share := max(cfg.MaxBytes/int32(len(b.cursors)), minPartitionBytes)
	r := &pollRequest{message: &request{
		broker:        b.id,
		clientID:      p.client.ClientID(),
		topic:         cfg.Topic,
		maxWait:       cfg.MaxWait,
		minBytes:      cfg.MinBytes,
		maxBytes:      cfg.MaxBytes,
		readCommitted: cfg.readCommitted(),
		pool:          p.memory.pool,
	}}
	if p == &b.second {
		r.message.maxWait = min(joinWait, cfg.MaxWait)
	}
	r.cursors, r.beyond = p.affordable()
	slices.SortFunc(r.cursors, func(x, y *cursor) int { return cmp.Compare(x.turn, y.turn) })
	r.held = !slices.ContainsFunc(r.cursors, (*cursor).behind)
	p.memory.reserve(r, int64(cfg.MaxPartitionBytes))
	for _, c := range r.cursors {
		limit := max(min(share, cfg.MaxPartitionBytes, r.message.maxBytes), c.limit)
		r.message.partitions = append(r.message.partitions, requestPartition{c.partition, c.leaderEpoch, c.position, limit, c.account})
		if c.end < 0 {
			// The watermarks of an idle partition are news too: get them now.
			r.message.maxWait = 0
		}
		c.busy, c.request = true, r
	}
	r.live = len(r.cursors)
	r.ctx, r.cancel = context.WithCancel(p.ctx)
	return r
}

// affordable returns the cursors that have records to ask for and memory for them. If
// no memory is free, it returns those that hold none, except for records that wait for
// another attempt, and beyond is true: one log batch may be fetched for them. Needs mu.
func (p *poller) affordable() (cursors []*cursor, beyond bool) {
	budget, b := p.memory.budget, p.broker
	room, short := budget.FetchRoom(), false
	for _, c := range b.cursors {
		if !c.ready() {
			continue
		}
		if need := c.needs(); need <= room && need <= budget.FetchShare(c.account, len(p.table.cursors)) {
			cursors = append(cursors, c)
		} else {
			short = true
		}
	}
	if !short {
		return cursors, false
	}
	budget.Starve()
	if len(cursors) > 0 || b.beyondBudget() || !budget.MayExceed() {
		return cursors, false
	}
	for _, c := range b.cursors {
		if c.ready() && !c.account.InWork() {
			cursors = append(cursors, c)
		}
	}
	return cursors, len(cursors) > 0
}

// wakeIn makes the poller look again after d. Needs mu.
func (p *poller) wakeIn(d time.Duration) {
	if p.timer != nil {
		p.timer.Reset(d)
		return
	}
	p.timer = time.AfterFunc(d, func() {
		p.table.mu.Lock()
		defer p.table.mu.Unlock()
		p.broker.changed.Broadcast()
	})
}
