package engine

import "math/bits"

// maxLost is how many goroutines of a pool may be lost to attempts that never
// return. All goroutines can have met such a record at once, and each needs one
// for each of its attempts, and for each time that its batch is halved, until it
// is exhausted. Twice as many, and no fewer than 64, leave room for records
// that come later; 4,096 take a few hundred megabytes if they have deep stacks. A
// processor that loses more needs a restart.
func (e *Engine) maxLost() int {
	perRecord := e.cfg.Failure.MaxAttempts + bits.Len(uint(e.code.BatchSize()-1))
	return min(max(64, 2*e.concurrency()*perRecord), 4096)
}

func (m *member) lostGoroutine(lost int) {
	m.e.metrics.GoroutinesLost.Add(1)
	m.log.Info("an attempt overran its timeout and did not return; its goroutine, and the memory of its records, are lost until it does",
		"lost", lost, "limit", m.e.maxLost())
}
