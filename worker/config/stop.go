package config

import "time"

// StopTimeout bounds a worker's whole stop, from the signal on, or from the error that
// ends the worker. The drain timeout and these are its parts. They follow one another;
// a part that ends early leaves its time unused.
const (
	// LastCommitTimeout bounds the last commits, after the drain.
	LastCommitTimeout = 5 * time.Second
	// LeaveTimeout bounds the departure from the consumer group.
	LeaveTimeout = 2 * time.Second
	// EndTimeout bounds the end of the goroutines.
	EndTimeout = time.Second

	// exitTimeout bounds the end of the process after the worker's.
	exitTimeout = 2 * time.Second
)

// StopTimeout returns the longest time that a worker with the given drain timeout takes
// to stop, whatever hangs: a coordinator, the output's brokers, an attempt.
func StopTimeout(drain time.Duration) time.Duration {
	return drain + LastCommitTimeout + LeaveTimeout + EndTimeout
}

// KillTimeout returns the time that a process needs between the signal to stop and the
// signal that kills it. With less time, its last commit may fail.
func KillTimeout(drain time.Duration) time.Duration { return StopTimeout(drain) + exitTimeout }
