package worker

import "github.com/millrace-dev/millrace/worker/internal/record"

// Outcome describes the end of one record's way through the worker.
type Outcome struct {
	// Input is the place where the record was read.
	Input Position
	Fate  Fate
	// Outputs are the places where the record's results were written, in no promised
	// order; for a dead-lettered record, the place of the dead letter.
	Outputs []Position
	// Err is the last attempt's error of a dead-lettered or dropped record.
	Err error
}

// Position names a record in a log.
type Position struct {
	Topic     string
	Partition int32
	// Offset is -1 if the broker has not told the offset of a written record.
	Offset int64
}

// Fate says how the worker settled a record.
type Fate uint8

// The fates of a record. All of them settle its offset.
const (
	// Delivered: every output is acknowledged by all in-sync replicas.
	Delivered Fate = iota
	// Filtered: the processor emitted nothing.
	Filtered
	// DeadLettered: its attempts were exhausted and the dead-letter topic has
	// acknowledged it.
	DeadLettered
	// Dropped: its attempts were exhausted and the policy is to drop it.
	Dropped
)

// String returns the fate's name in lower case with hyphens, such as dead-lettered.
func (f Fate) String() string { return record.Fate(f).String() }
