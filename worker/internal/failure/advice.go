package failure

import (
	"errors"
	"time"
)

// permanent marks an error that no further attempt can avoid.
type permanent struct{ error }

// Unwrap returns the marked error.
func (p permanent) Unwrap() error { return p.error }

// Permanent wraps an error of a processor to say that further attempts of the record are
// useless. The record goes where exhausted records go. A nil error stays nil.
func Permanent(err error) error {
	if err == nil {
		return nil
	}
	return permanent{err}
}

// IsPermanent reports whether Permanent has marked err.
func IsPermanent(err error) bool {
	_, ok := errors.AsType[permanent](err)
	return ok
}

// dropped marks an error after which the record is dropped.
type dropped struct{ error }

// Unwrap returns the marked error.
func (d dropped) Unwrap() error { return d.error }

// Dropped wraps an error of a processor to say that the record is to be dropped, whatever
// becomes of exhausted records. A nil error stays nil.
func Dropped(err error) error {
	if err == nil {
		return nil
	}
	return dropped{err}
}

// postponed marks an error after which another attempt makes sense in a while.
type postponed struct {
	error
	wait time.Duration
}

// Unwrap returns the marked error.
func (p postponed) Unwrap() error { return p.error }

// RetryAfter wraps an error of a processor to say how long to wait before the next
// attempt, if there is one. A nil error stays nil.
func RetryAfter(err error, wait time.Duration) error {
	if err == nil {
		return nil
	}
	return postponed{err, max(wait, 0)}
}

// WaitOf returns the wait that RetryAfter has put into err; ok is false if there is none.
func WaitOf(err error) (wait time.Duration, ok bool) {
	p, ok := errors.AsType[postponed](err)
	return p.wait, ok
}

// redirected marks an error after which the record becomes a dead letter in another topic.
type redirected struct {
	error
	topic string
}

// Unwrap returns the marked error.
func (r redirected) Unwrap() error { return r.error }

// ToTopic wraps an error of a processor to say that the record is to become a dead letter in
// a topic, whatever becomes of exhausted records. A nil error stays nil.
func ToTopic(err error, topic string) error {
	if err == nil {
		return nil
	}
	return redirected{err, topic}
}

// TopicOf returns the topic that ToTopic has put into err; ok is false if there is none.
func TopicOf(err error) (topic string, ok bool) {
	r, ok := errors.AsType[redirected](err)
	return r.topic, ok
}

// untried marks an error of an attempt that did not begin.
type untried struct{ error }

// Unwrap returns the marked error.
func (u untried) Unwrap() error { return u.error }

// Untried wraps an error of a processor to say that the attempt did not begin, because
// something that the processor needs is away for the moment. The records are tried again
// soon, and not charged with an attempt. A nil error stays nil.
func Untried(err error) error {
	if err == nil {
		return nil
	}
	return untried{err}
}

// IsUntried reports whether Untried has marked err.
func IsUntried(err error) bool {
	_, ok := errors.AsType[untried](err)
	return ok
}

// IsFinal reports whether err ends the attempts of its record.
func IsFinal(err error) bool {
	_, drops := errors.AsType[dropped](err)
	_, redirects := TopicOf(err)
	return drops || redirects || IsPermanent(err)
}
