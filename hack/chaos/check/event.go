package check

import (
	"slices"
	"time"
)

// Event is a fault as it happened.
type Event struct {
	Kind   string `json:"kind"`
	Detail string `json:"detail"`
	// Process is the process that it struck, "" for one of Kafka's side.
	Process string `json:"process,omitempty"`
	// Kafka says that it struck the brokers or the way to them.
	Kafka bool `json:"kafka,omitempty"`
	// Graceful faults may not lead to duplicates.
	Graceful bool `json:"graceful,omitempty"`
	// Network says that it delays or breaks connections, Refuses that the brokers refuse
	// requests. Each of them may be graceful, but not both together: a worker that
	// lost an answer can't ask for it again.
	Network bool `json:"network,omitempty"`
	Refuses bool `json:"refuses,omitempty"`
	// Alone says that no other fault was in force from Begin to Until, so that what
	// happened then is this one's doing.
	Alone bool      `json:"alone,omitempty"`
	Begin time.Time `json:"begin"`
	// End is when Kafka or the process was as before.
	End   time.Time `json:"end"`
	Until time.Time `json:"until"`
}

// Life is the time of a process.
type Life struct {
	Process string    `json:"process"`
	Start   time.Time `json:"start"`
	// End is zero if the process ran to the end.
	End time.Time `json:"end"`
	// Cause says how the process ended, such as "kill -9" or "exit 1".
	Cause string `json:"cause"`
	// Graceful says that the process ended by itself, not by a kill or a crash.
	Graceful bool `json:"graceful"`
}

// aftermath is how long after its end a fault may still have consequences: the group
// gives up a member that it does not hear after the session timeout, and a worker waits
// before it tries again.
const aftermath = 15 * time.Second

// Length returns the time that spans cover. They may overlap.
func Length(spans []Span) (total time.Duration) {
	spans = slices.SortedFunc(slices.Values(spans), func(a, b Span) int { return a.Begin.Compare(b.Begin) })
	var end time.Time
	for _, s := range spans {
		if s.Begin.Before(end) {
			s.Begin = end
		}
		if s.End.After(s.Begin) {
			total += s.End.Sub(s.Begin)
			end = s.End
		}
	}
	return total
}

// Span is a time from Begin to End.
type Span struct {
	Begin time.Time `json:"begin"`
	End   time.Time `json:"end"`
}
