package failure

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/record"
)

func policy(attempts int, on config.OnExhausted) Policy {
	return NewPolicy(config.Failure{
		MaxAttempts: attempts, OnExhausted: on,
		Backoff: config.Backoff{Initial: config.Duration{Duration: 100 * time.Millisecond}, Max: config.Duration{Duration: time.Second}},
	})
}

func TestAttemptsAreCountedBeforeTheRecordIsGivenUp(t *testing.T) {
	for on, want := range map[config.OnExhausted]Action{config.ToDeadLetter: DeadLetter, config.Drop: Drop, config.Halt: Halt} {
		p := policy(3, on)
		for attempts := 1; attempts <= 2; attempts++ {
			if got, _ := p.Decide(attempts, errors.New("x")); got != Retry {
				t.Errorf("%s: after %d attempts: %v, want a retry", on, attempts, got)
			}
		}
		if got, _ := p.Decide(3, errors.New("x")); got != want {
			t.Errorf("%s: after 3 attempts: %v, want %v", on, got, want)
		}
		if got, _ := p.Decide(1, fmt.Errorf("wrapped: %w", Permanent(errors.New("x")))); got != want {
			t.Errorf("%s: permanent error: %v, want %v", on, got, want)
		}
	}
	if Permanent(nil) != nil {
		t.Error("Permanent(nil) is an error")
	}
}

func TestBackoffGrowsToItsMaximumWithJitter(t *testing.T) {
	p := policy(1000, config.Halt)
	for attempts, ceiling := range map[int]time.Duration{
		1: 100 * time.Millisecond, 2: 200 * time.Millisecond, 4: 800 * time.Millisecond, 5: time.Second, 900: time.Second,
	} {
		seen := map[time.Duration]bool{}
		for range 100 {
			_, wait := p.Decide(attempts, errors.New("x"))
			if wait < ceiling/2 || wait > ceiling {
				t.Fatalf("attempt %d: wait %s is not within %s and %s", attempts, wait, ceiling/2, ceiling)
			}
			seen[wait] = true
		}
		if len(seen) < 2 {
			t.Errorf("attempt %d: no jitter", attempts)
		}
	}
}

func TestHeadersNameTheOriginAndTheError(t *testing.T) {
	at := time.Date(2026, 1, 2, 3, 4, 5, 678e6, time.UTC)
	rec := &record.Record{Topic: "orders", Partition: 7, Offset: 1234567890123, Timestamp: at}
	long := strings.Repeat("é", 2000)
	got := map[string]string{}
	for _, h := range Headers(rec, errors.New(long), 5, at.Add(time.Minute)) {
		got[h.Key] = string(h.Value)
	}
	for name, want := range map[string]string{
		HeaderTopic: "orders", HeaderPartition: "7", HeaderOffset: "1234567890123", HeaderAttempts: "5",
		HeaderTimestamp: "2026-01-02T03:04:05.678Z", HeaderFailedAt: "2026-01-02T03:05:05.678Z",
		HeaderError: strings.Repeat("é", 512) + "...",
	} {
		if got[name] != want {
			t.Errorf("%s = %q, want %q", name, got[name], want)
		}
	}
	rec.Timestamp = time.Time{}
	for _, h := range Headers(rec, errors.New("x"), 1, at) {
		if h.Key == HeaderTimestamp {
			t.Error("a record without a timestamp got the header for it")
		}
	}
}

// TestAnErrorSaysWhatBecomesOfItsRecord: the processor knows more than the policy.
func TestAnErrorSaysWhatBecomesOfItsRecord(t *testing.T) {
	reason := errors.New("x")
	for name, c := range map[string]struct {
		err      error
		attempts int
		want     Action
		wait     time.Duration // -1 for the policy's
	}{
		"drop":                             {Dropped(reason), 1, Drop, 0},
		"drop, wrapped":                    {fmt.Errorf("more: %w", Dropped(reason)), 1, Drop, 0},
		"drop after the last attempt":      {Dropped(reason), 3, Drop, 0},
		"drop and permanent":               {Permanent(Dropped(reason)), 1, Drop, 0},
		"another topic":                    {ToTopic(reason, "own"), 1, DeadLetter, 0},
		"retry after a while":              {RetryAfter(reason, time.Minute), 1, Retry, time.Minute},
		"retry at once":                    {RetryAfter(reason, -time.Second), 2, Retry, 0},
		"no retry after the last attempt":  {RetryAfter(reason, time.Minute), 3, Halt, 0},
		"no retry after a permanent error": {Permanent(RetryAfter(reason, time.Minute)), 1, Halt, 0},
		"none of them":                     {reason, 1, Retry, -1},
	} {
		action, wait := policy(3, config.Halt).Decide(c.attempts, c.err)
		if action != c.want || c.wait >= 0 && wait != c.wait || c.wait < 0 && wait == 0 {
			t.Errorf("%s: action %v after %s, want %v after %s", name, action, wait, c.want, c.wait)
		}
		if !errors.Is(c.err, reason) || !strings.HasSuffix(c.err.Error(), "x") {
			t.Errorf("%s: the error %q hides its reason", name, c.err)
		}
	}
	if Dropped(nil) != nil || ToTopic(nil, "own") != nil || RetryAfter(nil, time.Second) != nil {
		t.Error("no error became one")
	}
}

// traced is an error with a detail.
type traced struct{ error }

func (traced) ErrorDetail() string { return "line 1\nline 2" }

// TestDetailsAreInTheLetter: an error may know more than its text.
func TestDetailsAreInTheLetter(t *testing.T) {
	got := map[string]string{}
	for _, h := range Headers(&record.Record{}, Permanent(traced{errors.New("short")}), 1, time.Now()) {
		got[h.Key] = string(h.Value)
	}
	if got[HeaderError] != "short" || got[HeaderErrorDetail] != "line 1\nline 2" {
		t.Errorf("the headers are %q", got)
	}
	for _, h := range Headers(&record.Record{}, errors.New("short"), 1, time.Now()) {
		if h.Key == HeaderErrorDetail {
			t.Error("an error without a detail has one in its letter")
		}
	}
}
