package main

import (
	"bufio"
	"fmt"
	"os"
	"strings"
	"sync"
	"syscall"
	"time"
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
	c.once.Do(func() { c.started, c.cpu = time.Now(), cpuTime() })
}

// end notes that all results are acknowledged and committed. The time that a program
// takes to leave its group does not count.
func (c *clock) end() {
	c.result = result{
		Seconds:    time.Since(c.started).Seconds(),
		CPUSeconds: (cpuTime() - c.cpu).Seconds(),
		PeakRSS:    peakRSS(),
	}
}

// cpuTime returns the user and system time that this process has used.
func cpuTime() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// peakRSS returns the most memory that this program has had, in bytes, or 0 on systems
// without /proc. Getrusage would return the parent's peak if that was higher.
func peakRSS() int64 {
	file, err := os.Open("/proc/self/status")
	if err != nil {
		return 0
	}
	defer func() { _ = file.Close() }()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		var kib int64
		if strings.HasPrefix(lines.Text(), "VmHWM:") {
			if _, err := fmt.Sscanf(lines.Text(), "VmHWM: %d kB", &kib); err == nil {
				return kib << 10
			}
		}
	}
	return 0
}
