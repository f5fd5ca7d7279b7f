package main

import "runtime"

// The settings of a comparison. They are printed with its results.
const (
	partitions = 8 // of the input and of each output
	keys       = 10_000
	zipfS      = 1.1 // skew of the keys
	valueBytes = 100
	rounds     = 5
	hashes     = 300 // of the heavy task
)

// tasks are what is done to each record, and how many records a round has.
var tasks = []struct {
	name    string
	records int
	title   string
}{
	{"light", 2_000_000, "light: upper-case the value"},
	{"heavy", 300_000, "heavy: upper-case the value and hash it 300 times with SHA-256"},
}

// baseline is the program that ratios refer to.
const baseline = "kafka-go loop"

// goroutines run the task in every program.
var goroutines = runtime.GOMAXPROCS(0)
