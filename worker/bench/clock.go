package main

import (
	"os"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/worker/bench/internal/measure"
)

// clock measures a program's run in this process. Several goroutines may call begin, and
// more than once; one calls end, once.
type clock struct {
	once    sync.Once
	started time.Time
	cpu     time.Duration
	result  result
}

// begin notes that the program has its first record.
func (c *clock) begin() {
	c.once.Do(func() { c.started, c.cpu = time.Now(), measure.CPU() })
}

// end notes that all results are acknowledged and committed. The time that a program
// takes to leave its group does not count.
func (c *clock) end() {
	c.result = result{
		Seconds:    time.Since(c.started).Seconds(),
		CPUSeconds: (measure.CPU() - c.cpu).Seconds(),
		PeakRSS:    measure.PeakRSS(os.Getpid()),
	}
}
