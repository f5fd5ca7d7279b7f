package main

import "runtime"

// The settings of a comparison. The table begins with them.
const (
	partitions = 8 // of the input and of each output
	keys       = 10_000
	zipfS      = 1.1 // skew of the keys
	valueBytes = 100
	rounds     = 5
	hashes     = 300 // of the heavy task
)

// tasks lists the tasks, each with its number of records in a round.
var tasks = []struct {
	name    string
	records int
	title   string
}{
	{"light", 2_000_000, "light: upper-case the value"},
	{"heavy", 300_000, "heavy: upper-case the value and hash it 300 times with SHA-256"},
}

// baseline is the program to which ratios refer.
const baseline = "kafka-go loop"

// goroutines is the number of goroutines that run the task in every program.
var goroutines = runtime.GOMAXPROCS(0)
