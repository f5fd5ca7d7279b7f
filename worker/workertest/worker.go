package workertest

import (
	"context"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/failure"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
)

// Worker runs a processor as a worker does: with several calls at the same time and several
// attempts of records that fail. The zero value has the defaults of a manifest, and dead
// letters.
type Worker struct {
	// MaxAttempts is the manifest's failure.maxAttempts.
	MaxAttempts int
	// Ordering is the manifest's ordering.
	Ordering config.Ordering
	// Concurrency is how many calls run at the same time. The default is 4. Run the test with
	// the race detector: it finds what calls share without protection.
	Concurrency int
}

// Run is like the function Run, with these differences.
//
// Each of several goroutines makes calls, on records that the ordering lets run at the same
// time. A record that fails is tried again, MaxAttempts times in all, with other records that
// are ready then. A batch whose call fails is tried again in halves, and only a record that
// fails alone is charged with an attempt. With an ordering, the records behind one that
// waits for its next attempt wait too, and results that a failed batch has made of them are
// thrown away. Errors by worker.Permanent and the like count as in a worker. Nothing waits: a
// clock of the run jumps to the next attempt, and Result.Waited is by this clock.
//
// Each attempt gets a new copy of the record's bytes, and worker.Attempt returns its number. An
// OutcomeObserver hears of each record. When ctx ends, records without a result have its
// error.
func (w Worker) Run(ctx context.Context, p worker.Processor, records ...worker.Record) []Result {
	records = own(records)
	results := make([]Result, len(records))
	code, ok := start(p, records, results)
	if !ok {
		return results
	}
	r := w.newRun(code)
	for _, it := range sequence(code, records, results) {
		if it.final { // the Sequencer has panicked
			observe(code, it)
			continue
		}
		r.pending = append(r.pending, newTask(it))
	}
	for len(r.pending) > 0 && ctx.Err() == nil {
		r.round(ctx)
	}
	for _, t := range r.pending {
		*t.result = Result{Err: ctx.Err(), Attempts: t.attempts, Waited: t.waited}
	}
	revoked(code, records)
	return results
}

func (w Worker) newRun(code *usercode.Code) *run {
	cfg := config.Config{Ordering: w.Ordering}
	cfg.Failure.MaxAttempts, cfg.Failure.OnExhausted = w.MaxAttempts, config.ToDeadLetter
	config.Default(&cfg)
	r := &run{code: code, ordering: cfg.Ordering, policy: failure.NewPolicy(cfg.Failure), goroutines: w.Concurrency}
	if r.goroutines < 1 {
		r.goroutines = 4
	}
	return r
}

// run is a run of a Worker.
type run struct {
	code       *usercode.Code
	policy     failure.Policy
	ordering   config.Ordering
	goroutines int

	now     time.Duration // by the clock of the run
	pending []*task       // in the order of the records
}

// round makes the calls that can run at the same time, and looks at what became of their
// records.
func (r *run) round(ctx context.Context) {
	calls := r.ready()
	if len(calls) == 0 {
		r.now = r.nextDue()
		return
	}
	var all sync.WaitGroup
	// The goroutines share nothing, not even a queue, which would hide races.
	for g := range min(r.goroutines, len(calls)) {
		all.Go(func() {
			for k := g; k < len(calls); k += r.goroutines {
				calls[k].make(ctx, r.code)
			}
		})
	}
	all.Wait()
	for _, c := range calls {
		r.finish(c, ctx.Err() != nil)
	}
	r.forgetSettled()
}

// nextDue returns when the first of the records that wait is due. Others may only be behind
// them.
func (r *run) nextDue() time.Duration {
	var next time.Duration
	for _, t := range r.pending {
		if t.due > r.now && (next == 0 || t.due < next) {
			next = t.due
		}
	}
	return next
}

// finish decides about the records of a call, in their order. If the run has ended, it may
// have cut off the call, and failures don't count.
func (r *run) finish(c *call, ended bool) {
	var wait time.Duration
	if c.whole != nil {
		wait = r.waitTogether(c.whole, c.tasks[0].together+1)
	}
	blocked := map[string]bool{}
	for _, t := range c.tasks {
		lane, ordered := t.lane(r.ordering)
		held := ordered && blocked[lane]
		switch {
		case c.whole != nil && !ended:
			t.halve(len(c.tasks))
			if !held {
				r.again(t, wait)
			}
			blocked[lane] = true
		case held:
		case t.result.Err == nil:
			t.attempts++
			r.settle(t, record.Delivered)
		default:
			blocked[lane] = ended || r.failed(t)
		}
	}
}

// failed takes a failed attempt, and reports whether there will be another one.
func (r *run) failed(t *task) (again bool) {
	t.attempts++
	err := t.result.Err
	action, wait := r.policy.Decide(t.attempts, err)
	if fate, ended := fateAfter(action); ended {
		r.settle(t, fate)
		return false
	}
	if t.together > 0 {
		wait = r.waitTogether(err, t.attempts+t.together)
	}
	r.again(t, wait)
	return true
}

// waitTogether returns how long to wait after the n-th call in a row that failed as a whole.
func (r *run) waitTogether(err error, n int) time.Duration {
	if failure.IsFinal(err) {
		return 0
	}
	if wait, ok := failure.WaitOf(err); ok {
		return wait
	}
	return r.policy.Wait(n)
}

func (r *run) again(t *task, wait time.Duration) {
	t.waited += wait
	t.due = r.now + wait
}

func (r *run) settle(t *task, fate record.Fate) {
	t.settled = true
	t.result.Attempts, t.result.Waited = t.attempts, t.waited
	settled(r.code, t.item, fate)
}

func (r *run) forgetSettled() {
	var pending []*task
	for _, t := range r.pending {
		if !t.settled {
			pending = append(pending, t)
		}
	}
	r.pending = pending
}
