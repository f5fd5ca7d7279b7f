package config

import "time"

// A worker's stop has one bound: StopTimeout. It begins with the signal, or with
// the error that the worker ends with, and these are its parts. They follow one
// another; a part that is over early leaves its time unused.
const (
	// LastCommitTimeout is for the last commits, after the drain timeout.
	LastCommitTimeout = 5 * time.Second
	// LeaveTimeout is for leaving the consumer group.
	LeaveTimeout = 2 * time.Second
	// EndTimeout is for the goroutines to end.
	EndTimeout = time.Second

	// exitTimeout is for the process to end after the worker.
	exitTimeout = 2 * time.Second
)

// StopTimeout is the longest that a worker with a drain timeout takes to stop,
// whatever hangs: a coordinator, the output's brokers, an attempt.
func StopTimeout(drain time.Duration) time.Duration {
	return drain + LastCommitTimeout + LeaveTimeout + EndTimeout
}

// KillTimeout is the time that a process needs between the signal to stop and the one
// that kills it. With less it may be killed in the middle of its last commit.
func KillTimeout(drain time.Duration) time.Duration { return StopTimeout(drain) + exitTimeout }
