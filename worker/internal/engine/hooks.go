package engine

import (
	"errors"
	"fmt"
	"runtime/debug"

	"github.com/millrace-dev/millrace/worker/internal/failure"
	"github.com/millrace-dev/millrace/worker/internal/record"
)

// The engine calls the user's code from its own goroutines, where a panic would
// end the process. Every such call is made through one of the functions below,
// or through attempt.call and attempt.callBatch.

// recovered turns a panic of the user's code into an error. It must be deferred.
func recovered(err *error) {
	if v := recover(); v != nil {
		*err = &PanicError{Value: v, Stack: debug.Stack()}
	}
}

// findHooks finds the BatchProcessor and the hooks in the processor by their
// interfaces, and asks for the batch size.
func (e *Engine) findHooks() (err error) {
	defer recovered(&err)
	if e.processor == nil {
		return errors.New("the processor is nil")
	}
	var user any = e.processor
	if w, ok := user.(interface{ Unwrap() any }); ok {
		if user = w.Unwrap(); user == nil {
			return errors.New("the processor wraps nil")
		}
	}
	e.sequencer, _ = user.(record.Sequencer)
	e.observer, _ = user.(record.OutcomeObserver)
	e.batchSize = 1
	if e.batch, _ = user.(record.BatchProcessor); e.batch != nil {
		e.batchSize = min(max(e.batch.BatchSize(), 1), maxChunk)
	}
	return nil
}

// observe tells the processor's OutcomeObserver about a record. The record is
// settled whatever the observer does, so a panic changes nothing about it.
func (e *Engine) observe(o *record.Outcome) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		e.metrics.ObserverPanics.Add(1)
		e.failures.observer(o, e.metrics.ObserverPanics.Value(), &PanicError{Value: v, Stack: debug.Stack()})
	}()
	e.observer.Observe(o)
}

// usable returns err, or an error in its place if its own methods panic, as
// those of a nil pointer often do: the log and the dead letter call them later.
func usable(err error) (safe error) {
	defer func() {
		if v := recover(); v != nil {
			safe = fmt.Errorf("the processor failed with an error of type %T that can't be printed: it panics with: %v", err, v)
		}
	}()
	_ = err.Error()
	failure.IsPermanent(err) // calls the methods As and Unwrap
	return err
}
