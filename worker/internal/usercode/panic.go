package usercode

import (
	"fmt"
	"runtime/debug"

	"github.com/millrace-dev/millrace/worker/internal/failure"
)

// PanicError is the error of a call that panicked.
type PanicError struct {
	Value any
	Stack []byte
}

// Error implements error. The stack is not part of the text; it is logged.
func (e *PanicError) Error() string { return fmt.Sprintf("the processor panicked: %v", e.Value) }

// recovered turns a panic of the user's code into an error. It must be deferred.
func recovered(err *error) {
	if v := recover(); v != nil {
		*err = &PanicError{Value: v, Stack: debug.Stack()}
	}
}

// inHook names the hook in its error. It must be deferred.
func inHook(name string, err *error) {
	if *err != nil {
		*err = fmt.Errorf("in %s: %w", name, *err)
	}
}

// Usable returns err, or another error in its place if a method of err panics, as
// those of a nil pointer often do: the log and the dead letter call them later.
func Usable(err error) (safe error) {
	defer func() {
		if v := recover(); v != nil {
			safe = fmt.Errorf("the processor failed with an error of type %T that can't be printed: it panics with: %v", err, v)
		}
	}()
	_ = err.Error()
	failure.IsPermanent(err) // calls the methods As and Unwrap
	return err
}
