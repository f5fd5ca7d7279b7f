package workerstatus

import "time"

// RecentFailures is the time that Processes.FailedRecently looks back.
const RecentFailures = 5 * time.Minute

// Processes describes the processes beside the worker that process its records.
type Processes struct {
	// Connected is the number of those that are connected to the worker.
	Connected int `json:"connected"`
	// Failed counts how often processes have failed since the worker started, and
	// FailedRecently how often they have in the last RecentFailures. A process fails when it
	// ends other than in good order, takes too long, or breaks the protocol. Several that fail
	// within a second count once, as when their container ends.
	Failed         int64 `json:"failed"`
	FailedRecently int   `json:"failedRecently"`
	// LastFailure is the time of the last failure, and LastError says why it was one. They are
	// nil and "" before the first.
	LastFailure *time.Time `json:"lastFailure,omitempty"`
	LastError   string     `json:"lastError,omitempty"`
}
