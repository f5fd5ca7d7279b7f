package main

import (
	"fmt"
	"strings"
	"time"
)

// rateWindow is the time that a shown rate is the mean of.
const rateWindow = time.Second

// speedometer tells how fast a count grows.
type speedometer struct {
	since time.Time
	count int64 // at since
	rate  float64
}

// read takes the count's new value and returns its rate per second: the mean of
// the last window that is full, and of the first one while it is not.
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

// progress is one line that says how far the run is.
func (s *session) progress(now time.Time) string {
	t := s.last.totals
	parts := []string{fmt.Sprintf("%.0fs", now.Sub(s.started).Seconds())}
	if waiting := s.last.waiting; waiting != "" {
		return parts[0] + "  waiting for Kafka: " + waiting
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
	return strings.Join(append(parts, "lag "+grouped(s.last.lag)), "  ")
}
