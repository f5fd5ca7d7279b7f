package workerstatus

import "time"

// Transaction describes the transactions of a member with delivery ExactlyOnce.
type Transaction struct {
	// ID is the transactional id, and Version the version of the protocol: 2 where the
	// brokers have it, else 1. They are "" and 0 before the member's first transaction
	// and while it has no partition.
	ID      string `json:"id,omitempty"`
	Version int    `json:"version,omitempty"`
	// OpenSince is the time at which the open transaction began, and OpenSeconds its
	// age; nil and 0 if none is open.
	OpenSince   *time.Time `json:"openSince,omitempty"`
	OpenSeconds float64    `json:"openSeconds,omitempty"`
	// Committed counts the transactions that were committed since the process started,
	// Aborted those that were not, by the reason.
	Committed int64            `json:"committed"`
	Aborted   map[string]int64 `json:"aborted,omitempty"`
}
