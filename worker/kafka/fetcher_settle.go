package kafka

import (
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

func (f *Fetcher) readCommitted() bool { return f.cfg.Isolation == config.ReadCommitted }

// delivery is a set and the cursor it came from.
type delivery struct {
	cursor *cursor
	set    *batch.Set
}

// settle takes over the outcome of a request and delivers its sets.
func (f *Fetcher) settle(l *lane, r *laneRequest, res *fetchResponse, err error) {
	f.mu.Lock()
	l.request = nil
	f.budget.Reserve(-r.reserved)
	var out []delivery
	if err == nil && res.errorCode != 0 {
		res.release()
		err = wire.ErrorOf(res.errorCode)
	}
	if err != nil {
		out = f.requestFailed(l.broker, r, err)
	} else {
		out = f.answered(l.broker, r, res)
	}
	for _, c := range r.cursors {
		c.request, c.busy = nil, false
		c.tries++
	}
	for _, d := range out {
		d.cursor.busy = true
		if r.beyond && !d.set.Empty() {
			f.budget.Exceed(d.cursor.account)
		}
	}
	l.broker.changed.Broadcast()
	f.mu.Unlock()
	for _, d := range out {
		f.deliver(d)
	}
}

// deliver hands a set to the reader, unless its partition was stopped.
func (f *Fetcher) deliver(d delivery) {
	f.mu.Lock()
	dropped := d.cursor.dropped
	f.mu.Unlock()
	if dropped {
		d.set.Release()
		return
	}
	select {
	case f.sets <- d.set:
	case <-f.ctx.Done():
		d.set.Release()
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	d.cursor.busy = false
	if b := d.cursor.broker; b != nil {
		b.changed.Broadcast()
	}
}

// answered goes through an answer, whose records it takes over. Needs mu.
func (f *Fetcher) answered(b *fetchBroker, r *laneRequest, res *fetchResponse) []delivery {
	b.backoff.Reset()
	if b.failing {
		b.failing = false
		f.log.Info("fetching from the broker again", "broker", b.id)
	}
	b.quietUntil = quietUntil(b.id, res.throttleMs, f.cfg.OnThrottle)
	var out []delivery
	var failed troubles
	full := false
	for i := range res.partitions {
		p := &res.partitions[i]
		full = full || p.size > 0
		c := f.cursors[p.partition]
		if c == nil || c.request != r {
			continue // stopped meanwhile, or not asked for: released below
		}
		c.request = nil
		if set := f.take(c, p, &failed); set != nil {
			out = append(out, f.spend(c, set))
		}
	}
	res.release()
	// A broker that throttles a client answers without partitions.
	throttled := res.throttleMs > 0 && len(res.partitions) == 0
	for _, c := range r.cursors {
		// Some brokers leave out partitions when the answer is full. Being
		// served the longest time ago, these come first in the next request.
		if c.request == r && !full && !throttled {
			failed.add(c, errNotAnswered)
		}
	}
	failed.settle(f, "broker", b.id)
	return out
}

// take makes a set of what was answered about a partition; nil if there is
// nothing to tell. Needs mu.
func (f *Fetcher) take(c *cursor, p *fetchedPartition, failed *troubles) *batch.Set {
	if err := wire.ErrorOf(p.errorCode); err != nil {
		return f.partitionFailed(c, err, failed)
	}
	marks := watermarks{p.highWatermark, p.lastStableOffset, p.logStartOffset}
	c.end = marks.high
	if f.readCommitted() && marks.stable >= 0 {
		c.end = marks.stable
	}
	set, ok := f.setOf(c, p, failed)
	if c.end < 0 {
		// The broker did not send the log's end. No further request is sent for it
		// alone: the broker holds a request that it has no records for.
		c.end = c.position
	}
	if !ok || set == nil && marks == c.shown {
		return nil
	}
	if set == nil {
		set = f.emptySet(c)
	}
	c.shown = marks
	set.HighWatermark, set.LastStableOffset, set.LogStartOffset = marks.high, marks.stable, marks.start
	return set
}

var (
	errBelowOffset = errors.New("the broker answers with records below the asked offset only")
	errNotAnswered = errors.New("the broker's answer leaves the partition out")
)

// enlarge has a partition asked for with a higher limit, for a first batch that
// came cut. Brokers send that one whole whatever the limit is; this is for those
// that do not. It returns false if the limit was that high already. Needs mu.
func (f *Fetcher) enlarge(c *cursor, bytes int) bool {
	if int32(bytes) <= c.limit {
		return false
	}
	c.limit = int32(bytes)
	return true
}

// setOf makes a set of a partition's records and moves the cursor behind them;
// nil if there are none. It returns false if they have to be asked for again.
// Needs mu.
func (f *Fetcher) setOf(c *cursor, p *fetchedPartition, failed *troubles) (*batch.Set, bool) {
	if p.records == nil {
		failed.end(c)
		return nil, true
	}
	records := p.records.Bytes()[:p.size]
	found := batch.ScanHeaders(records, c.position)
	switch {
	case found.Cut && f.enlarge(c, max(found.CutSize, 2*len(records))):
		return nil, false
	case found.Cut:
		found.Broken = true
	case found.Next == c.position && !found.Broken:
		failed.add(c, errBelowOffset)
		return nil, false
	}
	failed.end(c)
	src := batch.Source{
		Topic: f.cfg.Topic, Partition: c.partition, Epoch: c.epoch, Offset: c.position,
		ReadCommitted: f.readCommitted(), Aborted: p.aborted, Pool: f.pool,
		Owner: c.account, BatchLimit: f.budget.BatchLimit(),
	}
	c.account.Batch = int64(found.Most)
	set := batch.NewSet(src, records[:found.Size], p.records)
	p.records = nil
	if found.FirstEpoch >= 0 && found.FirstEpoch != c.lastEpoch {
		set.LeaderEpochs = append(set.LeaderEpochs, batch.EpochStart{Offset: c.position, Epoch: found.FirstEpoch})
	}
	set.LeaderEpochs = append(set.LeaderEpochs, found.Changes...)
	c.lastEpoch = max(found.LastEpoch, c.lastEpoch)
	f.served++
	c.turn = f.served
	c.position, c.limit, c.halted = found.Next, 0, found.Broken
	return set, true
}

// spend takes credit for a set that will be delivered. Needs mu.
func (f *Fetcher) spend(c *cursor, set *batch.Set) delivery {
	c.credit--
	c.servedAt = time.Now()
	return delivery{c, set}
}

func (f *Fetcher) emptySet(c *cursor) *batch.Set {
	return batch.NewSet(batch.Source{Topic: f.cfg.Topic, Partition: c.partition, Epoch: c.epoch, Offset: c.position, Pool: f.pool}, nil, nil)
}

// fatalSet tells the reader why a partition can't be fetched on. Needs mu.
func (f *Fetcher) fatalSet(c *cursor, err error) *batch.Set {
	c.halted = true
	set := f.emptySet(c)
	set.HighWatermark, set.LastStableOffset, set.LogStartOffset = c.shown.high, c.shown.stable, c.shown.start
	set.Err = err
	return set
}

// partitionFailed sorts out what a broker answered about a partition. Needs mu.
func (f *Fetcher) partitionFailed(c *cursor, err error, failed *troubles) *batch.Set {
	switch {
	case errors.Is(err, kafkago.OffsetOutOfRange):
		// The reader will ask for the log's ends, and must ask the present leader.
		f.client.forgetLeaders(f.cfg.Topic)
		return f.fatalSet(c, &OffsetOutOfRangeError{Topic: f.cfg.Topic, Partition: c.partition, Offset: c.position})
	case Retriable(err) || errors.Is(err, kafkago.Unknown):
		if StaleLeader(err) {
			f.client.forgetLeaders(f.cfg.Topic)
		}
		failed.add(c, err)
		return nil
	default:
		return f.fatalSet(c, fmt.Errorf("fetch partition %d: %w", c.partition, TopicError(f.cfg.Topic, "Read", err)))
	}
}

// requestFailed sorts out the failure of a whole request. Needs mu.
func (f *Fetcher) requestFailed(b *fetchBroker, r *laneRequest, err error) []delivery {
	if r.live == 0 || f.closed {
		return nil // called back
	}
	err = fmt.Errorf("fetch from broker %d: %w", b.id, err)
	if refused, ok := errors.AsType[*DialError](err); ok && refused.permanent() || errors.Is(err, wire.ErrTooOld) {
		return f.allFailed(r.cursors, err)
	}
	f.client.forgetLeaders(f.cfg.Topic)
	if !b.failing {
		b.failing = true
		f.log.Info("fetch failed, will be retried", "broker", b.id, "error", err.Error())
	}
	wait := b.backoff.Next()
	for _, c := range r.cursors {
		if !c.dropped {
			f.park(c, wait)
		}
	}
	return nil
}

// allFailed tells the reader that partitions can't be fetched. Needs mu.
func (f *Fetcher) allFailed(cursors []*cursor, err error) []delivery {
	var out []delivery
	for _, c := range cursors {
		if !c.dropped {
			out = append(out, f.spend(c, f.fatalSet(c, fmt.Errorf("topic %q, partition %d: %w", f.cfg.Topic, c.partition, err))))
		}
	}
	return out
}
