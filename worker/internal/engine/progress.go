package engine

import (
	"fmt"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/telemetry"
)

// Progress reports to the health check whether there is work, whether it moves,
// and whether it waits for something that ends by itself. Every stage that the
// work may be in shows that it is alive: the pool by attempts that end, the
// fetcher, the producer and the committer by requests that end, failed ones too.
// So a worker without Kafka is not stalled. One that has lost a wake-up is stalled, since
// no stage sends requests then.
func (e *Engine) Progress() telemetry.Progress {
	p := telemetry.Progress{Moved: uint64(e.proc.metrics.Commits.Value() + e.proc.metrics.CommitsFailed.Value())}
	oldest := 0.0
	for _, m := range e.members {
		if m.joined.Load() == nil {
			continue // it has no stages yet
		}
		attempts, running := m.pool.Attempts()
		p.Moved += attempts + m.writers.tries() + m.logEnds.ended.Load()
		if m.exact != nil {
			p.Moved += m.exact.starts.Load()
		}
		p.Waits = p.Waits || running
		for _, part := range m.roster.partitions() {
			m.progress(part, &p)
			if u := part.status().OldestUnsettled; u != nil && (p.Stuck == "" || u.AgeSeconds > oldest) {
				oldest = u.AgeSeconds
				p.Stuck = fmt.Sprintf("partition %d waits for offset %d (%.0f s, %d failed attempts)",
					part.id, u.Offset, u.AgeSeconds, u.Attempts)
			}
		}
	}
	for _, s := range e.proc.clusters.silent() {
		p.Stuck += "; " + s.String()
	}
	return p
}

// progress adds the work of one partition. A record whose letter is refused for good is
// no work: a restart would only repeat it.
func (m *member) progress(part *partition, p *telemetry.Progress) {
	p.Moved += uint64(part.settled.Load())
	inFlight := part.records.Load() > part.stuck.Load()
	if inFlight && part.inState(active, careful, draining, halted) {
		p.Work = true
		p.Waits = p.Waits || part.inBackoff()
		return
	}
	if !part.inState(active, careful) {
		return
	}
	p.Work = p.Work || part.behind()
	if part.behind() || part.end.readable.Load() < 0 {
		// The partition waits for a broker's answer; another partition's turn in
		// careful reading may depend on it.
		p.Moved += m.fetcher.Tries(part.id)
	}
}

// behind reports whether the log holds records that are not settled.
func (p *partition) behind() bool {
	return p.running() && p.end.readable.Load() > p.tracker.Watermark()
}

// began is the zero of times that must not depend on the wall clock.
var began = time.Now()

// backOff notes that a record waits for its next attempt.
func (p *partition) backOff(wait time.Duration) {
	until := int64(time.Since(began) + wait)
	for {
		noted := p.backoffUntil.Load()
		if noted >= until || p.backoffUntil.CompareAndSwap(noted, until) {
			return
		}
	}
}

// inBackoff reports whether a record waits for its next attempt.
func (p *partition) inBackoff() bool { return int64(time.Since(began)) < p.backoffUntil.Load() }
