package txn

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// The waits between attempts. The markers of a transaction are mostly written within
// milliseconds, and until then the coordinator answers CONCURRENT_TRANSACTIONS.
const (
	againMin, againMax = 5 * time.Millisecond, 100 * time.Millisecond
	movedMin, movedMax = 20 * time.Millisecond, 500 * time.Millisecond
)

// worthALine is the age of a failure that the log shows.
const worthALine = 2 * time.Second

// call is a request, or a look-up, that is repeated until it is done.
type call struct {
	at     *coordinator
	do     func(ctx context.Context) error
	what   string // for the log
	log    logr.Logger
	repeat bool // see asking
	// insist allows to send it again after an answer that is not known.
	insist bool
}

// asking returns a call of one request. repeat allows to send it again although an earlier
// one may still arrive.
func (s *Session) asking(at *coordinator, r request, repeat bool) call {
	return call{
		at: at, do: func(ctx context.Context) error { return at.ask(ctx, s.version, r) },
		what: r.api().key.String() + " request", log: s.log(), repeat: repeat,
	}
}

// persist makes a call until the coordinator has done it or refuses it, or ctx is done.
func persist(ctx context.Context, c call) error {
	waits := waits{
		soon:  backoff.Backoff{Initial: againMin, Max: againMax},
		later: backoff.Backoff{Initial: movedMin, Max: movedMax},
		since: time.Now(),
	}
	var doubtful error // of an attempt that may be done
	for {
		err := c.do(ctx)
		if err == nil || !c.mayRepeat(err) {
			return err
		}
		if maybeDone(err) {
			doubtful = err
		}
		if waitErr := waits.wait(ctx, &c, err); waitErr != nil {
			if doubtful != nil {
				err = doubtful
			}
			return fmt.Errorf("%w (last: %w)", waitErr, err)
		}
	}
}

// waits are the waits between the attempts of one call.
type waits struct {
	soon, later backoff.Backoff
	since       time.Time // of the first attempt
	logged      bool
}

// wait waits after a failed attempt, until ctx is done.
func (w *waits) wait(ctx context.Context, c *call, err error) error {
	pause := &w.later
	switch r, answered := reactionTo(err); {
	case answered && r == again:
		pause = &w.soon
	case answered:
		c.at.forget()
	}
	if age := time.Since(w.since); age > worthALine && !w.logged {
		w.logged = true
		c.log.Info("a coordinator of a transaction can't answer, will be retried",
			"request", c.what, "for", age.Round(time.Second).String(), "error", err.Error())
	}
	return pause.Wait(ctx)
}

// mayRepeat reports whether the request may be sent again after an error.
func (c *call) mayRepeat(err error) bool {
	if errors.Is(err, ErrUnsupported) {
		return false
	}
	r, answered := reactionTo(err)
	if lost, ok := errors.AsType[*lostError](err); ok {
		if lost.sent {
			return c.repeat
		}
		// The coordinator could not be looked up.
		return r != refused && r != tooOld && !kafka.Refused(err)
	}
	return answered && (r == again || r == moved || r == doubt && c.insist)
}
