package engine

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// Status describes the worker for /status. It may be called at any time, from
// any goroutine.
func (e *Engine) Status() workerstatus.Status {
	s := workerstatus.Status{
		Name: e.cfg.Name, Topic: e.cfg.Input.Topic, GroupID: e.cfg.Input.GroupID,
		Totals: e.metrics.Totals(),
		Rates:  e.rates.perSecond(),
	}
	e.mu.Lock()
	s.Waiting = e.waiting
	if e.err != nil {
		s.Error = e.err.Error()
	}
	e.mu.Unlock()
	s.Silent = e.silent()
	if e.connected.Load() {
		s.Partitions = e.client.KnownPartitions(e.cfg.Input.Topic)
	}
	for _, m := range e.members {
		s.Members = append(s.Members, m.status())
	}
	return s
}

// Ready says why the worker is not a running member of its group, or nil.
func (e *Engine) Ready() error {
	e.mu.Lock()
	waiting := e.waiting
	e.mu.Unlock()
	if waiting != "" {
		return fmt.Errorf("waiting for Kafka: %s", waiting)
	}
	for _, m := range e.members {
		if state := *m.state.Load(); state != "running" {
			return fmt.Errorf("member %d is %s", m.number, state)
		}
	}
	return nil
}

func (m *member) partitions() []*partition {
	m.mu.Lock()
	defer m.mu.Unlock()
	parts := make([]*partition, 0, len(m.parts))
	for _, p := range m.parts {
		parts = append(parts, p)
	}
	return parts
}

// running reports whether the partition has been acquired; its tracker may be
// used from then on.
func (p *partition) running() bool { return !p.is(acquiring, released) }

func (m *member) status() workerstatus.Member {
	s := workerstatus.Member{State: *m.state.Load(), Partitions: []workerstatus.Partition{}}
	if group := m.joined.Load(); group != nil {
		s.ID, s.Generation = group.ID(), group.Generation()
		s.MemoryBytes = m.fetcher.Memory() // set before joined
	}
	s.Saturation = m.saturation.PerSecond()
	for _, p := range m.partitions() {
		ps := p.status()
		ps.Loss = m.e.metrics.OffsetsLost.Of(p.id)
		s.InFlight.Records += ps.InFlight.Records
		s.InFlight.Bytes += ps.InFlight.Bytes
		s.Partitions = append(s.Partitions, ps)
	}
	slices.SortFunc(s.Partitions, func(a, b workerstatus.Partition) int { return cmp.Compare(a.Partition, b.Partition) })
	return s
}

func (p *partition) status() workerstatus.Partition {
	s := workerstatus.Partition{
		Partition: p.id, State: partitionState(p.state.Load()).String(),
		Watermark: -1, Position: -1, Committed: p.commit.committed.Load(), EndOffset: p.end.readable.Load(),
		InFlight: workerstatus.InFlight{Records: p.records.Load(), Bytes: p.bytes.Load()},
	}
	if !p.running() {
		return s
	}
	if p.is(active) && p.paused.Load() {
		s.State = "paused"
	}
	if halt := p.halt.Load(); halt != nil {
		s.Error, s.HaltedSince = halt.err.Error(), &halt.since
	} else if failure := p.commit.failure.Load(); failure != nil {
		s.Error = "can't be committed: " + *failure
	}
	s.Watermark, s.Position = p.tracker.Watermark(), p.tracker.Position()
	if s.EndOffset >= 0 {
		s.Lag = max(p.end.high.Load()-s.Watermark, 0)
		s.Held = p.end.held(time.Since(began))
	}
	s.RecordsPerSecond = p.rate.PerSecond()
	if offset, since, ok := p.tracker.Oldest(); ok {
		s.OldestUnsettled = p.unsettled(offset, since)
	}
	return s
}

func (p *partition) unsettled(offset int64, since time.Time) *workerstatus.Unsettled {
	u := &workerstatus.Unsettled{Offset: offset, Since: since, AgeSeconds: time.Since(since).Seconds()}
	var err error
	var hash string
	u.Attempts, hash, err = p.failures.describe(offset)
	u.KeyHash = hash
	if err != nil {
		u.LastError = err.Error()
	}
	return u
}

// keyHash is how /status names a key without showing it.
func keyHash(key []byte) string {
	if key == nil {
		return ""
	}
	return fmt.Sprintf("%08x", kafka.Murmur2(key))
}
