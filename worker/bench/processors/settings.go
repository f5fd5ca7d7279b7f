package main

import "time"

const (
	batchRecords = 1_000
	keyBytes     = 8
	valueBytes   = 92
)

// settings say how long a comparison takes.
type settings struct {
	Rounds   int
	WarmUp   time.Duration // before the time that is measured, in each turn
	Measured time.Duration
}
