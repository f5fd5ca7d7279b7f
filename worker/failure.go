package worker

import (
	"time"

	"github.com/millrace-dev/millrace/worker/internal/failure"
)

// Permanent wraps a processor's error to say that another attempt can't succeed: the
// worker treats the record as exhausted at once. Permanent(nil) is nil.
func Permanent(err error) error { return failure.Permanent(err) }

// RetryAfter wraps a processor's error to say how long to wait before the next attempt,
// in place of the policy's backoff: for example, as long as the Retry-After header of an
// answer says. The attempt counts, so a record that has had failure.maxAttempts is
// exhausted all the same. RetryAfter(nil, wait) is nil.
func RetryAfter(err error, wait time.Duration) error { return failure.RetryAfter(err, wait) }

// DeadLetter wraps a processor's error to say that the record becomes a dead letter in
// another topic, at once and whatever failure.onExhausted says. The topic is on the
// cluster of the other dead letters, and has to exist: without it the record's partition is
// halted. DeadLetter(nil, topic) is nil.
func DeadLetter(err error, topic string) error { return failure.ToTopic(err, topic) }

// Drop wraps a processor's error to say that the record is worthless: the worker does not
// try it again and drops it, whatever failure.onExhausted says. It logs and counts the
// record. To leave out a record that is all right, emit nothing. Drop(nil) is nil.
func Drop(err error) error { return failure.Dropped(err) }
