package fetch

import (
	"errors"
	"fmt"

	"github.com/go-logr/logr"
	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// responseHandler turns the responses of brokers into sets, and retries the partitions
// that they report errors for.
type responseHandler struct {
	client *kafka.Client
	cfg    *Config
	log    logr.Logger
	table  *cursorTable
	memory *memory
	maker  *setMaker
	outlet *setOutlet
}

// handleResponse ends a poller's request, with its response or an error, and delivers
// the sets.
func (h *responseHandler) handleResponse(p *poller, r *pollRequest, res *response, err error) {
	h.table.mu.Lock()
	p.request = nil
	h.memory.budget.Reserve(-r.reserved)
	var out []delivery
	if err == nil && res.errorCode != 0 {
		res.release()
		err = wire.ErrorOf(res.errorCode)
	}
	if err != nil {
		out = h.requestFailed(p.broker, r, err)
	} else {
		out = h.requestAnswered(p.broker, r, res)
	}
	for _, c := range r.cursors {
		c.request, c.busy = nil, false
		c.tries++
	}
	for _, d := range out {
		d.cursor.busy = true
		if r.beyond && !d.set.Empty() {
			h.memory.budget.Exceed(d.cursor.account)
		}
	}
	p.broker.changed.Broadcast()
	h.table.mu.Unlock()
	for _, d := range out {
		h.outlet.deliver(d)
	}
}

// requestAnswered handles a response and takes over its records. Needs the table's mu.
func (h *responseHandler) requestAnswered(b *leader, r *pollRequest, res *response) []delivery {
	b.backoff.Reset()
	if b.failing.Ended() {
		h.log.Info("fetching from the broker again", "broker", b.id)
	}
	b.quietUntil = kafka.QuietUntil(b.id, res.throttleMs, h.cfg.OnThrottle)
	var out []delivery
	failed := failures{topic: h.cfg.Topic}
	full := false
	for i := range res.partitions {
		p := &res.partitions[i]
		full = full || p.size > 0
		c := h.table.cursors[p.partition]
		if c == nil || c.request != r {
			continue // stopped by now, or not asked for: released below
		}
		c.request = nil
		if set := h.partitionAnswered(c, p, &failed); set != nil {
			out = append(out, c.spend(set))
		}
	}
	res.release()
	// A broker that throttles a client responds without partitions.
	throttled := res.throttleMs > 0 && len(res.partitions) == 0
	for _, c := range r.cursors {
		// Some brokers leave out partitions when the response is full. These got
		// records the longest time ago, so they come first in the next request.
		if c.request == r && !full && !throttled {
			failed.add(c, wire.ErrOmitted)
		}
	}
	failed.finish(h.table, h.cfg.Logger, "broker", b.id)
	return out
}

// partitionAnswered makes a set of the response about a partition; nil if there is
// nothing to deliver. Needs the table's mu.
func (h *responseHandler) partitionAnswered(c *cursor, p *responsePartition, failed *failures) *batch.Set {
	if err := wire.ErrorOf(p.errorCode); err != nil {
		return h.partitionFailed(c, err, failed)
	}
	marks := watermarks{p.highWatermark, p.lastStableOffset, p.logStartOffset}
	c.end = marks.high
	if h.cfg.readCommitted() && marks.stable >= 0 {
		c.end = marks.stable
	}
	set, ok := h.maker.recordSet(c, p, failed)
	if set != nil {
		h.table.served++
		c.turn = h.table.served
	}
	if c.end < 0 {
		// The broker did not send the log's end. The poller sends no further request
		// for this partition alone: the broker holds a request without records.
		c.end = c.position
	}
	if !ok || set == nil && marks == c.shown {
		return nil
	}
	if set == nil {
		set = h.maker.emptySet(c)
	}
	c.shown = marks
	set.HighWatermark, set.LastStableOffset, set.LogStartOffset = marks.high, marks.stable, marks.start
	return set
}

// partitionFailed handles a broker's error about a partition. Needs the table's mu.
func (h *responseHandler) partitionFailed(c *cursor, err error, failed *failures) *batch.Set {
	switch {
	case errors.Is(err, kafkago.OffsetOutOfRange):
		// The reader will ask for the log's ends, and must ask the present leader.
		h.client.ForgetLeaders(h.cfg.Topic)
		return h.maker.haltedSet(c, &OffsetOutOfRangeError{Topic: h.cfg.Topic, Partition: c.partition, Offset: c.position})
	case kafka.Retriable(err) || errors.Is(err, kafkago.Unknown):
		if kafka.StaleLeader(err) {
			h.client.ForgetLeaders(h.cfg.Topic)
		}
		failed.add(c, err)
		return nil
	default:
		return h.maker.haltedSet(c, fmt.Errorf("fetch partition %d: %w", c.partition, kafka.TopicError(h.cfg.Topic, "Read", err)))
	}
}

// requestFailed handles the failure of a whole request. Needs the table's mu.
func (h *responseHandler) requestFailed(b *leader, r *pollRequest, err error) []delivery {
	if r.live == 0 || h.table.closed {
		return nil // cancelled
	}
	err = fmt.Errorf("fetch from broker %d: %w", b.id, err)
	if refused, ok := errors.AsType[*kafka.DialError](err); ok && refused.Permanent() || errors.Is(err, wire.ErrTooOld) {
		return h.maker.haltAll(r.cursors, err)
	}
	h.client.ForgetLeaders(h.cfg.Topic)
	// One line whatever the error: each broken connection has another text.
	if b.failing.Failed("", 0) {
		h.log.Info("fetch failed, will be retried", "broker", b.id, "error", err.Error())
	}
	wait := b.backoff.Next()
	for _, c := range r.cursors {
		if !c.dropped {
			h.table.reroute(c, wait)
		}
	}
	return nil
}
