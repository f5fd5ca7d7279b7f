package plan

import (
	"time"

	"github.com/millrace-dev/millrace/controllers/status"
)

// A trouble may last for a grace before a user has to act. Tools that wait for a
// StreamProcessor, as Helm and Flux do, give up at once when it is Stalled.
const (
	// grace is long enough for things that are applied together to arrive: topics,
	// users and Secrets that other operators make, an image that is still being pushed.
	grace = 2 * time.Minute
	// nodeGrace is long enough for a cluster to add nodes.
	nodeGrace = 10 * time.Minute
)

// standing is the state of Ready, Reconciling and Stalled, for one reason.
type standing struct {
	reason, message string
	// ready: the StreamProcessor is as its spec asks.
	ready bool
	// stillRuns is the message of Ready if enough pods run for Ready to stay True while
	// a change is under way; "" if Ready is False.
	stillRuns string
	// grace is the time that the reason may last; 0 for any time.
	grace time.Duration
	// stalled: waiting does not help.
	stalled bool
}

func ready(reason, message string) standing {
	return standing{reason: reason, message: message, ready: true}
}

// progressing is not ready, and on its way.
func progressing(reason, message string) standing {
	return standing{reason: reason, message: message}
}

// passing is not ready, and may become ready by itself, for example because something
// that it needs has yet to arrive.
func passing(reason, message string) standing {
	return standing{reason: reason, message: message, grace: grace}
}

// stalled is not ready, and stays so until somebody acts.
func stalled(reason, message string) standing {
	return standing{reason: reason, message: message, stalled: true}
}

// conditions returns the conditions that the status shows, and the rest of the grace.
func (s standing) conditions(o *Observed) (shown []status.Condition, again time.Duration) {
	if s.ready {
		return []status.Condition{status.True(status.Ready, s.reason, s.message)}, 0
	}
	left := s.graceLeft(o)
	if s.stalled || s.grace > 0 && left <= 0 {
		return []status.Condition{
			status.False(status.Ready, s.reason, s.message),
			status.True(status.Stalled, s.reason, s.message),
		}, 0
	}
	shown = []status.Condition{
		status.False(status.Ready, s.reason, s.message),
		status.True(status.Reconciling, s.reason, s.message),
	}
	if s.stillRuns != "" {
		shown[0] = status.True(status.Ready, status.Running, s.stillRuns)
	}
	return shown, left
}

// graceLeft returns the rest of the grace. The status holds the time since which the
// reason has lasted, so an operator that starts again continues to count.
func (s standing) graceLeft(o *Observed) time.Duration {
	if s.grace == 0 {
		return 0
	}
	if before := o.last(status.Stalled); before != nil && before.Reason == s.reason {
		return 0
	}
	if before := o.last(status.Reconciling); before != nil && before.Reason == s.reason {
		return s.grace - o.Now.Sub(before.LastTransitionTime.Time)
	}
	return s.grace
}
