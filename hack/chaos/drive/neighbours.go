package drive

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// watchNeighbours notes the seconds in which programs that don't belong to the run take a
// quarter of the machine's processor time. A worker that is slow then is not at fault. It
// needs Linux's /proc, and notes nothing without it.
func (s *starvation) watchNeighbours(ctx context.Context) {
	const share = 0.25
	before, ok := readLoad()
	for at := time.Now(); ok && wait(ctx, time.Second) == nil; {
		after, fine := readLoad()
		now := time.Now()
		if fine && after.neighbours(before) > share {
			s.note(at, now)
		}
		before, at = after, now
	}
}

// load is how much processor time was used since the start of the machine, in ticks.
type load struct {
	busy, total int64 // of the machine
	ours        int64 // of this process and its children, also of those that have ended
}

// neighbours returns the share of the machine's time that other programs have taken since
// before.
func (l load) neighbours(before load) float64 {
	total := l.total - before.total
	if total <= 0 {
		return 0
	}
	return float64(l.busy-before.busy-(l.ours-before.ours)) / float64(total)
}

func readLoad() (l load, ok bool) {
	stat, err := os.ReadFile("/proc/stat")
	if err != nil {
		return l, false
	}
	line, _, _ := bytes.Cut(stat, []byte("\n"))
	const idle, wait, guest = 3, 4, 8 // columns; a guest's time is part of the user's
	for i, n := range numbers(line, 1) {
		if i >= guest {
			break
		}
		l.total += n
		if i != idle && i != wait {
			l.busy += n
		}
	}
	l.ours = ticksOf(os.Getpid(), 4)
	for _, child := range children() {
		l.ours += ticksOf(child, 2)
	}
	return l, true
}

// ticksOf returns the sum of a process's times: of the user's and the system's, and with
// four columns also of those of its children that have ended.
func ticksOf(pid, columns int) (ticks int64) {
	const first = 11 // of the times, after the name in parentheses and the state
	for i, n := range statOf(pid) {
		if i >= first && i < first+columns {
			ticks += n
		}
	}
	return ticks
}

// statOf returns the numbers in a process's /proc/PID/stat behind its name, with 0 for the
// state.
func statOf(pid int) []int64 {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil
	}
	return numbers(stat[bytes.LastIndexByte(stat, ')')+1:], 0)
}

// children returns the processes that this one has started.
func children() (pids []int) {
	all, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range all {
		pid, err := strconv.Atoi(filepath.Base(dir))
		if err != nil {
			continue
		}
		if stat := statOf(pid); len(stat) > 1 && stat[1] == int64(os.Getpid()) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// numbers returns the fields of a line from the given one on.
func numbers(line []byte, from int) []int64 {
	fields := bytes.Fields(line)
	var all []int64
	for _, field := range fields[min(from, len(fields)):] {
		n, _ := strconv.ParseInt(string(field), 10, 64)
		all = append(all, n)
	}
	return all
}
