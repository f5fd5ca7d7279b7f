package engine

import "math/bits"

// maxLost returns the number of goroutines that a pool may lose to attempts that never
// return. Every goroutine can meet such a record at the same time. Until the record is
// exhausted it costs a goroutine for each attempt, and for each time that its batch is
// halved. Twice as many, and no fewer than 64, leave room for later records; 4,096 take
// a few hundred megabytes if they have deep stacks. A processor that loses more needs a
// restart.
func (p *process) maxLost() int {
	perRecord := p.cfg.Failure.MaxAttempts + bits.Len(uint(p.code.BatchSize()-1))
	return min(max(64, 2*p.concurrency()*perRecord), 4096)
}

// lostGoroutine counts and logs a lost goroutine.
func (m *member) lostGoroutine(lost int) {
	m.proc.metrics.GoroutinesLost.Add(1)
	m.log.Info("an attempt overran its timeout and did not return; its goroutine, and the memory of its records, are lost until it does",
		"lost", lost, "limit", m.proc.maxLost())
}
