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
	// joinShown is how long the workers wait to join their group before the progress
	// line says so.
	joinShown = 2 * time.Second
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

// progress returns one line about the run's progress. A narrow terminal cuts its end, so
// it begins with what nobody should miss.
func (s *session) progress(now time.Time) string {
	elapsed := fmt.Sprintf("%.0fs", now.Sub(s.started).Seconds())
	if waiting := s.last.waiting; waiting != "" {
		return elapsed + "  waiting for Kafka: " + waiting
	}
	if waiting := s.describeJoin(now); waiting != "" {
		return elapsed + "  " + waiting
	}
	t := &s.last.totals
	halted, reason := describeHalted(s.last.halted)
	parts := []string{
		elapsed,
		"lag " + s.last.describeLag(),
		"dead-lettered " + grouped(t.RecordsDeadLettered),
		halted,
		fmt.Sprintf("settled %s (%s/s)", grouped(t.RecordsSettled), grouped(int64(s.speed.read(now, t.RecordsSettled)))),
		"written " + grouped(t.RecordsOut),
		"filtered " + grouped(t.RecordsFiltered),
	}
	if t.RecordsDropped > 0 {
		parts = append(parts, "dropped "+grouped(t.RecordsDropped))
	}
	if s.feeder != nil {
		parts = append(parts, "fed "+grouped(s.feeder.fed.Load()))
	}
	parts = append(parts, "read "+grouped(t.RecordsIn), reason, s.describeRetry())
	return strings.Join(slices.DeleteFunc(parts, blank), "  ")
}

// describeRetry describes the record in retry that has waited the longest.
func (s *session) describeRetry() string {
	r := s.last.retry
	if r == nil {
		return ""
	}
	return fmt.Sprintf("partition %d offset %d is tried again, attempt %d of %d failed: %s",
		r.partition, r.record.Offset, r.record.Attempts, s.cfg.Failure.MaxAttempts, oneLine(r.record.LastError))
}

// describeJoin says for how long the workers have waited to join their group, and for
// whom. It returns "" when one has joined, and in the first moments.
func (s *session) describeJoin(now time.Time) string {
	if !s.last.joining {
		s.joiningSince = time.Time{}
		return ""
	}
	if s.joiningSince.IsZero() {
		s.joiningSince = now
	}
	waited := now.Sub(s.joiningSince)
	if waited < joinShown {
		return ""
	}
	text := fmt.Sprintf("waiting for %s to join the consumer group", waited.Round(time.Second))
	others := s.group.otherMembers(s.last.members)
	if len(others) == 0 {
		return text
	}
	text += ": it has " + describeMembers(others)
	if left := s.cfg.Input.SessionTimeout.Duration - waited; left > 0 {
		return text + fmt.Sprintf("; one that was killed counts until its session ends, in %s at the latest", left.Round(time.Second))
	}
	return text + ", and waits until they have finished the records that they have read"
}

// describeHalted returns which partitions are halted and why the first of them is.
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
