package workerstatus

import "time"

// Expressions describes the expressions of the built-in processor, which may change while
// the worker runs.
type Expressions struct {
	// Version is a hash of the file whose expressions the worker evaluates, and Since the
	// time at which it began to.
	Version string    `json:"version"`
	Since   time.Time `json:"since"`
	// Refused is the version of a newer file that the worker can't use, and Error says
	// why. They are "" if there is none.
	Refused string `json:"refused,omitempty"`
	Error   string `json:"error,omitempty"`
}
