package usercode

import (
	"context"

	"github.com/millrace-dev/millrace/worker/internal/record"
)

// Attempts knows which attempt of its record each record of a call is.
type Attempts interface {
	// AttemptOf returns the number of the attempt, from 1.
	AttemptOf(rec *record.Record) int
}

// attemptsKey is the key of the Attempts in the context of a call.
type attemptsKey struct{}

// IsAttemptsKey reports whether a context is asked for the Attempts of its call.
func IsAttemptsKey(key any) bool {
	_, ok := key.(attemptsKey)
	return ok
}

// AttemptOf returns which attempt of a record a call is, from 1, by the context of the
// call.
func AttemptOf(ctx context.Context, rec *record.Record) int {
	if attempts, ok := ctx.Value(attemptsKey{}).(Attempts); ok {
		return attempts.AttemptOf(rec)
	}
	return 1
}
