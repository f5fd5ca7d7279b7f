package trouble

import (
	"slices"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
)

// TestLastingFailureIsLoggedAgain: a Streak logs a failure that stays the same once
// in each interval.
func TestLastingFailureIsLoggedAgain(t *testing.T) {
	const repeat = 30 * time.Second
	var s Streak
	if !s.Failed("a", repeat) || s.Failed("a", repeat) || !s.Failed("b", repeat) {
		t.Error("a failure is logged if its kind differs from the one before")
	}
	s.logged = s.logged.Add(-repeat)
	if !s.Failed("b", repeat) || s.Failed("b", repeat) {
		t.Errorf("a failure that lasts is logged every %v", repeat)
	}
}

// TestStreakEnds: a Streak logs a kind of failure once, and again after a success.
func TestStreakEnds(t *testing.T) {
	var s SharedStreak
	if s.Ended() {
		t.Error("a new streak has failed")
	}
	for range 2 {
		if !s.Failed("a", 0) || s.Failed("a", 0) {
			t.Error("a kind of failure is logged once")
		}
		if !s.Ended() || s.Ended() {
			t.Error("a streak ends once")
		}
	}
}

func TestReport(t *testing.T) {
	var lines []string
	log := funcr.New(func(_, args string) { lines = append(lines, args) }, funcr.Options{})
	var r Report
	r.Failed("b", 2, "away", 0)
	r.Failed("b", 1, "away", 0)
	r.Failed("a", 7, "slow", 90*time.Second)
	r.Ended("a", 3)
	r.Log(log, "failed", "again", "broker", 5)
	want := []string{
		`"level"=0 "msg"="failed" "topic"="a" "partitions"=[7] "broker"=5 "for"="1m30s" "error"="slow"`,
		`"level"=0 "msg"="failed" "topic"="b" "partitions"=[1 2] "broker"=5 "error"="away"`,
		`"level"=0 "msg"="again" "topic"="a" "partitions"=[3]`,
	}
	if !slices.Equal(lines, want) {
		t.Errorf("logged\n%v, want\n%v", lines, want)
	}
}
