package plan

import (
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/controllers/status"
)

// How long a trouble may last before it takes somebody's act. Tools that wait for a
// StreamProcessor, as Helm and Flux do, give up at once when it is Stalled.
const (
	// grace is enough for what is applied together to arrive: topics, users and
	// Secrets that other operators make, an image that is still being pushed.
	grace = 2 * time.Minute
	// nodeGrace is enough for a cluster to add nodes.
	nodeGrace = 10 * time.Minute
)

// standing is how Ready, Reconciling and Stalled stand, for one reason.
type standing struct {
	reason, message string
	// ready: what was asked for is reached.
	ready bool
	// runs is what Ready says where enough pods run for it to stay True while
	// something is under way; "" where it is False.
	runs string
	// grace is how long the reason may last; 0 for as long as it takes.
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

// passing is not ready, and may get so by itself, for example because something that
// is needed has yet to arrive.
func passing(reason, message string) standing {
	return standing{reason: reason, message: message, grace: grace}
}

// stalled is not ready, and will not be without somebody's act.
func stalled(reason, message string) standing {
	return standing{reason: reason, message: message, stalled: true}
}

// conditions are what the status shows of it, and again is when the grace ends.
func (s standing) conditions(o *Observed) (shown []status.Condition, again time.Duration) {
	if s.ready {
		return []status.Condition{status.True(status.Ready, s.reason, s.message)}, 0
	}
	left := s.left(o)
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
	if s.runs != "" {
		shown[0] = status.True(status.Ready, status.Running, s.runs)
	}
	return shown, left
}

// left is how much of the grace is left. The status holds since when the reason has
// lasted, so that an operator that starts again counts on.
func (s standing) left(o *Observed) time.Duration {
	if s.grace == 0 {
		return 0
	}
	if was := o.last(status.Stalled); was != nil && was.Reason == s.reason {
		return 0
	}
	if was := o.last(status.Reconciling); was != nil && was.Reason == s.reason {
		return s.grace - o.Now.Sub(was.LastTransitionTime.Time)
	}
	return s.grace
}

// last returns a condition as the status has it; nil if it has none, or one of an
// earlier generation: whoever has changed the spec has acted.
func (o *Observed) last(kind string) *metav1.Condition {
	c := meta.FindStatusCondition(o.Processor.Status.Conditions, kind)
	if c == nil || c.ObservedGeneration != o.Processor.Generation {
		return nil
	}
	return c
}

// unasked reports whether nothing has been heard from Kafka, neither an answer nor an
// error.
func (o *Observed) unasked() bool {
	return o.Kafka.Trouble == nil && o.unanswered()
}

// unanswered reports whether Kafka has answered nothing about the topics yet.
func (o *Observed) unanswered() bool {
	return o.Kafka.Input == nil && len(o.Kafka.Missing) == 0
}
