package engine

import "fmt"

// HaltError ends a worker whose failure policy is Halt: it names the record that
// could not be processed.
type HaltError struct {
	Topic     string
	Partition int32
	Offset    int64
	Attempts  int
	Err       error
}

// Error implements error.
func (e *HaltError) Error() string {
	return fmt.Sprintf("halted at topic %q partition %d offset %d after %s: %v; "+
		"correct the processor or the record, or set failure.onExhausted to DeadLetter or Drop",
		e.Topic, e.Partition, e.Offset, failedAttempts(e.Attempts), e.Err)
}

func failedAttempts(n int) string {
	if n == 1 {
		return "1 failed attempt"
	}
	return fmt.Sprintf("%d failed attempts", n)
}

// Unwrap returns the last attempt's error.
func (e *HaltError) Unwrap() error { return e.Err }

// crashError is the error of a record that the process never survived.
type crashError struct{ crashes int }

func (e *crashError) Error() string {
	return fmt.Sprintf("the worker crashed %d times while it tried this record alone", e.crashes)
}
