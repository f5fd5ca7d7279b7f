package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// rateWindow is the time over which a shown rate is averaged.
	rateWindow = time.Second
	// shownHalted is how many halted partitions the progress line lists.
	shownHalted = 3
)

// speedometer measures how fast a count grows.
type speedometer struct {
	since time.Time
	count int64 // at since
	rate  float64
}

// read takes the count's new value and returns its rate per second: the mean over the
// last full window, or over the time since the start while there is none.
func (m *speedometer) read(now time.Time, count int64) float64 {
	passed := now.Sub(m.since)
	rate := float64(count-m.count) / max(passed.Seconds(), 1e-3)
	if passed >= rateWindow {
		m.since, m.count, m.rate = now, count, rate
	}
	if m.rate == 0 {
		return rate
	}
	return m.rate
}

// progress returns one line about the run's progress.
func (s *session) progress(now time.Time) string {
	t := s.last.totals
	parts := []string{fmt.Sprintf("%.0fs", now.Sub(s.started).Seconds())}
	if waiting := s.last.waiting; waiting != "" {
		return parts[0] + "  waiting for Kafka: " + waiting
	}
	halted, reason := describeHalted(s.last.halted)
	if halted != "" {
		parts = append(parts, halted)
	}
	if s.feeder != nil {
		parts = append(parts, "fed "+grouped(s.feeder.fed.Load()))
	}
	parts = append(parts,
		fmt.Sprintf("read %s (%s/s)", grouped(t.RecordsIn), grouped(int64(s.speed.read(now, t.RecordsIn)))),
		"written "+grouped(t.RecordsOut),
		"filtered "+grouped(t.RecordsFiltered),
		"dead-lettered "+grouped(t.RecordsDeadLettered))
	if t.RecordsDropped > 0 {
		parts = append(parts, "dropped "+grouped(t.RecordsDropped))
	}
	parts = append(parts, "lag "+grouped(s.last.lag))
	if reason != "" {
		parts = append(parts, reason)
	}
	return strings.Join(parts, "  ")
}

// describeHalted returns which partitions are halted and why the first of them is.
// The list stands at the start of the progress line, because a terminal may cut the
// line's end.
func describeHalted(errs map[int32]string) (list, reason string) {
	if len(errs) == 0 {
		return "", ""
	}
	partitions := slices.Sorted(maps.Keys(errs))
	first := partitions[0]
	if len(partitions) == 1 {
		list = fmt.Sprintf("partition %d halted", first)
	} else {
		shown := make([]string, 0, shownHalted)
		for _, p := range partitions[:min(len(partitions), shownHalted)] {
			shown = append(shown, strconv.Itoa(int(p)))
		}
		list = "partitions " + strings.Join(shown, ", ")
		if more := len(partitions) - shownHalted; more > 0 {
			list += fmt.Sprintf(" and %d more", more)
		}
		list += " halted"
	}
	if errs[first] != "" {
		reason = fmt.Sprintf("partition %d: %s", first, oneLine(errs[first]))
	}
	return list, reason
}
