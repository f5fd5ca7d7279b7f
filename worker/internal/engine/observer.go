package engine

import (
	"sync"

	"github.com/millrace-dev/millrace/worker/internal/record"
)

// observer tells the processor's OutcomeObserver, if there is one, how records ended.
// With transactions it keeps the outcomes until they are committed: those of an aborted
// transaction never happened.
type observer struct {
	proc *process
	keep bool

	// ending is held for reading while a record without results is settled and its outcome
	// added, and for writing while the transaction takes checkpoints and outcomes. Records
	// with results are not acknowledged at that time.
	ending sync.RWMutex

	mu        sync.Mutex
	kept      []record.Outcome // of a transaction under way; guarded by mu
	confirmed []record.Outcome // of committed ones; guarded by mu
}

// add takes an outcome.
func (o *observer) add(outcome record.Outcome) {
	if !o.keep {
		o.proc.observe(&outcome)
		return
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.kept = append(o.kept, outcome)
}

// take returns the outcomes that were kept, and forgets them.
func (o *observer) take() []record.Outcome {
	o.mu.Lock()
	defer o.mu.Unlock()
	kept := o.kept
	o.kept = nil
	return kept
}

// confirm makes outcomes that were taken known to tell.
func (o *observer) confirm(outcomes []record.Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.confirmed = append(o.confirmed, outcomes...)
}

// tell passes the confirmed outcomes on to the processor.
func (o *observer) tell() {
	o.mu.Lock()
	outcomes := o.confirmed
	o.confirmed = nil
	o.mu.Unlock()
	for i := range outcomes {
		o.proc.observe(&outcomes[i])
	}
}
