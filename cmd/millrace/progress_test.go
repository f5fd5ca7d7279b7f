package main

import (
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// progressOf returns the progress line of a run after ten seconds.
func progressOf(s *session, partitions ...workerstatus.Partition) string {
	o := &observer{last: []workerstatus.Status{{
		Totals:  workerstatus.Totals{RecordsIn: 5000, RecordsSettled: 4000, RecordsDeadLettered: 12},
		Members: []workerstatus.Member{{State: "running", Partitions: partitions}},
	}}, watermarks: map[int32]int64{}}
	s.last = o.snapshot()
	s.started = time.Now().Add(-10 * time.Second)
	s.speed = speedometer{since: s.started}
	return s.progress(time.Now())
}

// TestLagIsUnknownAtFirst: a lag of 0 would say that everything is processed.
func TestLagIsUnknownAtFirst(t *testing.T) {
	known := workerstatus.Partition{Partition: 0, EndOffset: 7, Lag: 7, State: "running"}
	unknown := workerstatus.Partition{Partition: 1, EndOffset: -1, State: "acquiring"}
	for _, c := range []struct {
		partitions []workerstatus.Partition
		want       string
	}{
		{nil, "  lag ?  "},
		{[]workerstatus.Partition{unknown}, "  lag ?  "},
		{[]workerstatus.Partition{known, unknown}, "  lag 7 or more  "},
		{[]workerstatus.Partition{known}, "  lag 7  "},
	} {
		if line := progressOf(&session{}, c.partitions...); !strings.Contains(line, c.want) {
			t.Errorf("progress: %q, want %q in it", line, c.want)
		}
	}
}

// TestRatesCountSettledRecords: records that were only read may still fail.
func TestRatesCountSettledRecords(t *testing.T) {
	if line := progressOf(&session{}); !strings.Contains(line, "settled 4,000 (400/s)") && !strings.Contains(line, "settled 4,000 (399/s)") {
		t.Errorf("progress: %q", line)
	}
}

// TestNarrowProgressKeepsWhatMatters: a terminal of 60 columns shows the lag and the dead
// letters, whatever else there is.
func TestNarrowProgressKeepsWhatMatters(t *testing.T) {
	s := &session{feeder: &feeder{}}
	line := progressOf(s,
		workerstatus.Partition{Partition: 0, EndOffset: 1 << 30, Lag: 1234567890, State: "halted", Error: "damaged"},
		workerstatus.Partition{Partition: 1, State: "halted"}, workerstatus.Partition{Partition: 2, State: "halted"})
	cut := fit(line, 59)
	for _, want := range []string{"lag 1,234,567,890", "dead-lettered 12"} {
		if !strings.Contains(cut, want) {
			t.Errorf("%q does not contain %q", cut, want)
		}
	}
	if n := len([]rune(cut)); n != 59 || !strings.HasSuffix(cut, "…") {
		t.Errorf("%q has %d columns", cut, n)
	}
	for line, want := range map[string]string{"": "", "abc": "abc", "äbcd": "äb…"} {
		if got := fit(line, 3); got != want {
			t.Errorf("%q becomes %q, want %q", line, got, want)
		}
	}
}

// TestProgressNamesTheRecordInRetry: the one that has waited the longest.
func TestProgressNamesTheRecordInRetry(t *testing.T) {
	s := &session{cfg: config.Config{Failure: config.Failure{MaxAttempts: 5}}}
	line := progressOf(s,
		workerstatus.Partition{Partition: 1, OldestUnsettled: &workerstatus.Unsettled{Offset: 9, AgeSeconds: 90}},
		workerstatus.Partition{Partition: 3, OldestUnsettled: &workerstatus.Unsettled{Offset: 17, AgeSeconds: 8, Attempts: 2, LastError: "no\nluck"}},
		workerstatus.Partition{Partition: 4, OldestUnsettled: &workerstatus.Unsettled{Offset: 1, AgeSeconds: 2, Attempts: 1, LastError: "other"}})
	if want := "  partition 3 offset 17 is tried again, attempt 2 of 5 failed: no luck"; !strings.HasSuffix(line, want) {
		t.Errorf("progress: %q, want %q at its end", line, want)
	}
}

// TestProgressSaysForWhomTheWorkersWait: a group waits for its members, dead ones too.
func TestProgressSaysForWhomTheWorkersWait(t *testing.T) {
	s := &session{cfg: config.Config{Input: config.Input{SessionTimeout: config.Duration{Duration: 45 * time.Second}}}, group: groupOf(nil)}
	s.group.last.Load().members = append(s.group.last.Load().members, member("mine"), member("dead"))
	s.last = snapshot{joining: true, members: map[string]bool{"mine": true}}
	now := time.Now()
	s.started = now
	for _, c := range []struct {
		after time.Duration
		want  string
	}{
		{0, "lag ?"},
		{time.Second, "lag ?"},
		{5 * time.Second, `waiting for 5s to join the consumer group: it has 1 other member, client "client" at host; ` +
			"one that was killed counts until its session ends, in 40s at the latest"},
		{50 * time.Second, "and waits until they have finished the records that they have read"},
	} {
		if line := s.progress(now.Add(c.after)); !strings.Contains(line, c.want) {
			t.Errorf("after %v: %q, want %q in it", c.after, line, c.want)
		}
	}
	s.last.joining = false
	if line := s.progress(now.Add(time.Minute)); strings.Contains(line, "join") {
		t.Errorf("after it has joined: %q", line)
	}
	s.last.joining = true
	if line := s.progress(now.Add(time.Minute)); strings.Contains(line, "join") {
		t.Errorf("when it begins to wait again: %q", line)
	}
}
