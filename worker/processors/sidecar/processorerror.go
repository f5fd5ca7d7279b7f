package sidecar

import (
	"time"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/frame"
)

// ProcessorError is a failure that a processor reports.
type ProcessorError struct {
	// Message is one line for people, and Detail more about it, such as a stack trace.
	Message, Detail string
}

// Error implements error.
func (e *ProcessorError) Error() string {
	if e.Message == "" {
		return "the processor failed and gave no reason"
	}
	return e.Message
}

// ErrorDetail returns the detail, for the dead letter.
func (e *ProcessorError) ErrorDetail() string { return e.Detail }

// errorOf returns the error of a failure, for the engine.
func errorOf(f *frame.Failure) error {
	err := error(&ProcessorError{Message: f.Message, Detail: f.Detail})
	switch {
	case f.Kind == frame.Drop:
		return worker.Drop(err)
	case f.Kind == frame.DeadLetter && f.DeadLetterTopic != "":
		return worker.DeadLetter(err, f.DeadLetterTopic)
	case f.Kind != frame.Retry:
		return worker.Permanent(err)
	case f.RetryAfterMillis > 0:
		return worker.RetryAfter(err, time.Duration(f.RetryAfterMillis)*time.Millisecond)
	default:
		return err
	}
}
