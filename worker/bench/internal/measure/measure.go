// Package measure reads the CPU time and the memory of processes, for programs that compare
// others. It reads /proc, so it knows processes other than its own on Linux only.
package measure

import (
	"bufio"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// CPU returns the user and system time that this process has used.
func CPU() time.Duration {
	var r syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &r); err != nil {
		return 0
	}
	return time.Duration(r.Utime.Nano() + r.Stime.Nano())
}

// PeakRSS returns the most memory that a process has had since its program began, in bytes,
// or 0 if that is not known. Getrusage would return the parent's peak if that was higher.
func PeakRSS(pid int) int64 {
	file, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
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

// Usage is what processes have used together.
type Usage struct {
	CPU     time.Duration // user and system, in steps of 10 ms for each process
	PeakRSS int64         // bytes; memory that processes share counts for each of them
}

// Tree returns what a process and its descendants have used, those among them that have ended
// and were waited for too.
func Tree(root int) (Usage, error) {
	all, err := processes()
	if err != nil {
		return Usage{}, err
	}
	if _, ok := all[root]; !ok {
		return Usage{}, fmt.Errorf("there is no process %d", root)
	}
	var u Usage
	for pids := []int{root}; len(pids) > 0; pids = pids[1:] {
		u.CPU += all[pids[0]].cpu
		u.PeakRSS += PeakRSS(pids[0])
		for pid, s := range all {
			if s.parent == pids[0] {
				pids = append(pids, pid)
			}
		}
	}
	return u, nil
}

// stat is a part of a process's line in /proc.
type stat struct {
	parent int
	cpu    time.Duration // with that of children that were waited for
}

// tick is the unit of the times in /proc. Linux shows programs this one on all machines.
const tick = 10 * time.Millisecond

func processes() (map[int]stat, error) {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("list the processes: %w", err)
	}
	all := map[int]stat{}
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		line, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue // it has ended
		}
		if all[pid], err = parse(string(line)); err != nil {
			return nil, fmt.Errorf("read /proc/%d/stat: %w", pid, err)
		}
	}
	return all, nil
}

// parse reads a line of /proc/PID/stat. The name in it may hold spaces and parentheses.
func parse(line string) (stat, error) {
	fields := strings.Fields(line[strings.LastIndexByte(line, ')')+1:])
	if len(fields) < 15 {
		return stat{}, fmt.Errorf("there are too few fields in %q", line)
	}
	var s stat
	var err error
	if s.parent, err = strconv.Atoi(fields[1]); err != nil {
		return s, err
	}
	for _, field := range fields[11:15] {
		ticks, err := strconv.Atoi(field)
		if err != nil {
			return s, err
		}
		s.cpu += time.Duration(ticks) * tick
	}
	return s, nil
}

// Spread holds the extremes and the median of a figure.
type Spread struct{ Min, Median, Max float64 }

// SpreadOf returns the spread of a figure of results, of which there must be one.
func SpreadOf[T any](results []T, figure func(T) float64) Spread {
	all := make([]float64, 0, len(results))
	for _, r := range results {
		all = append(all, figure(r))
	}
	slices.Sort(all)
	return Spread{all[0], all[len(all)/2], all[len(all)-1]}
}
