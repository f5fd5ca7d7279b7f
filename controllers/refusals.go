package controllers

import (
	"errors"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
)

// The operator applies a refused object again after a pause that doubles each time. A
// quota, a webhook or a change may let the object pass by then, and asking at each
// reconciliation would be a load for nothing.
const (
	firstRetry = 5 * time.Second
	lastRetry  = 5 * time.Minute
)

// refusals are the objects that the API server has refused, by kind and name.
type refusals map[string]refusal

// refusal is the last answer about one object.
type refusal struct {
	hash  string // of the refused configuration
	err   error
	pause time.Duration
	until time.Time
}

// lasting returns the error of the last try while the pause after it lasts, and the
// rest of the pause. An object that has changed since is tried at once.
func (r refusals) lasting(name, hash string, now time.Time) (left time.Duration, err error) {
	last, ok := r[name]
	left = last.until.Sub(now)
	if !ok || left <= 0 || last.hash != hash {
		return 0, nil
	}
	return left, last.err
}

// note remembers the result of a try, and returns the pause before the next one; 0 if
// the API server has not refused the object.
func (r *refusals) note(name, hash string, err error, now time.Time) time.Duration {
	if _, ok := refused(err); !ok {
		delete(*r, name)
		return 0
	}
	next := refusal{hash: hash, err: err, pause: firstRetry}
	if last := (*r)[name]; last.hash == hash {
		next.pause = min(2*last.pause, lastRetry)
	}
	next.until = now.Add(next.pause)
	if *r == nil {
		*r = refusals{}
	}
	(*r)[name] = next
	return next.pause
}

// refused reports whether the API server refuses an object for its content, and
// returns its message.
func refused(err error) (message string, ok bool) {
	if !apierrors.IsInvalid(err) && !apierrors.IsForbidden(err) && !apierrors.IsBadRequest(err) && !untyped(err) && !unadmitted(err) {
		return "", false
	}
	if s := apierrors.APIStatus(nil); errors.As(err, &s) {
		return s.Status().Message, true
	}
	return err.Error(), true
}

// untyped reports whether the API server could not build an object from the applied
// configuration, as from a list that has a key twice. It calls that an internal error.
func untyped(err error) bool {
	return apierrors.IsInternalError(err) && strings.Contains(err.Error(), "failed to create typed patch object")
}

// unadmitted reports whether an admission webhook did not answer. The API server calls
// that an internal error too.
func unadmitted(err error) bool {
	return apierrors.IsInternalError(err) && strings.Contains(err.Error(), "failed calling webhook")
}
