package engine

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/kafka/produce"
	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// Status describes the worker for /status. It may be called at any time, from
// any goroutine.
func (e *Engine) Status() workerstatus.Status {
	s := workerstatus.Status{
		Name: e.proc.cfg.Name, Topic: e.proc.cfg.Input.Topic, GroupID: e.proc.cfg.Input.GroupID,
		Totals: e.proc.metrics.Totals(),
		Rates:  e.proc.rates.perSecond(),
	}
	s.Totals.RecordsSettled = e.proc.settled.Load()
	e.proc.mu.Lock()
	s.Waiting = e.proc.waiting
	if e.proc.err != nil {
		s.Error = e.proc.err.Error()
	}
	e.proc.mu.Unlock()
	s.Silent = e.proc.clusters.silent()
	if e.proc.clusters.opened.Load() {
		s.Partitions = e.proc.clusters.input.KnownPartitions(e.proc.cfg.Input.Topic)
	}
	for _, m := range e.members {
		s.Members = append(s.Members, m.status())
	}
	return s
}

// Ready returns why the worker is not a running member of its group, nil if it is.
func (e *Engine) Ready() error {
	e.proc.mu.Lock()
	waiting := e.proc.waiting
	e.proc.mu.Unlock()
	if waiting != "" {
		return fmt.Errorf("waiting for Kafka: %s", waiting)
	}
	for _, m := range e.members {
		if state := m.state.get(); state != "running" {
			return fmt.Errorf("member %d is %s", m.number, state)
		}
	}
	return nil
}

// running reports whether the partition has been acquired; its tracker may be
// used from then on.
func (p *partition) running() bool { return !p.inState(acquiring, released) }

func (m *member) status() workerstatus.Member {
	s := workerstatus.Member{State: m.state.get(), Partitions: []workerstatus.Partition{}}
	if group := m.joined.Load(); group != nil {
		s.ID, s.Generation = group.ID(), group.Generation()
		s.MemoryBytes = m.fetcher.Memory() // set before joined, as exact is
		if m.exact != nil {
			s.Transaction = m.exact.counts.Status()
		}
	}
	s.Saturation = m.saturation.PerSecond()
	for _, p := range m.roster.partitions() {
		ps := p.status()
		ps.Loss = m.proc.metrics.OffsetsLost.Of(p.id)
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
	if p.inState(active) && p.paused.Load() {
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

// keyHash names a key for /status without showing it.
func keyHash(key []byte) string {
	if key == nil {
		return ""
	}
	return fmt.Sprintf("%08x", produce.Murmur2(key))
}
