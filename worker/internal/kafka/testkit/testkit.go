// Package testkit has functions that the tests of the Kafka client's packages share. It
// imports none of these packages, so that all of them can use it.
package testkit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
)

// Patience bounds the wait for something that a test expects.
const Patience = 30 * time.Second

// Context returns a context that ends long after the test's requests should have.
func Context(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// ExpectError checks that err wraps target, and that its text has all parts. A target of
// nil stands for any error.
func ExpectError(t testing.TB, err, target error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want %v", target)
	}
	if target != nil && !errors.Is(err, target) {
		t.Errorf("got %v, want a %v", err, target)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

// Await waits until a state is reached, and fails the test after Patience.
func Await(t testing.TB, state string, reached func() bool) {
	t.Helper()
	deadline := time.Now().Add(Patience)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !reached() {
		if time.Now().After(deadline) {
			t.Fatalf("timed out waiting: %s", state)
		}
		<-tick.C
	}
}

// Log collects log lines.
type Log struct {
	mu    sync.Mutex
	lines []string // guarded by mu
}

// Logger returns a logger that adds to the lines.
func (l *Log) Logger() logr.Logger {
	return funcr.New(func(_, args string) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.lines = append(l.lines, args)
	}, funcr.Options{})
}

// Count returns how many lines contain a text.
func (l *Log) Count(part string) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, line := range l.lines {
		if strings.Contains(line, part) {
			n++
		}
	}
	return n
}

// Lines returns the lines so far.
func (l *Log) Lines() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.lines)
}

var names atomic.Int32

// UniqueName makes a name that no other run of a test uses on a shared broker.
func UniqueName(name string) string { return fmt.Sprintf("%s-%d", name, names.Add(1)) }

// SetBack returns what time.Now returns in place of now if the wall clock was set back by d
// before: the monotonic clock shows the same.
func SetBack(t testing.TB, now time.Time, d time.Duration) time.Time {
	t.Helper()
	// The first field of a Time that was read from the clock has its seconds from bit 30 on.
	wall := (*uint64)(unsafe.Pointer(&now))
	before := now
	*wall -= uint64(d/time.Second) << 30
	if moved := before.Round(0).Sub(now.Round(0)); moved != d || !before.Equal(now) {
		t.Fatalf("a Time has other fields than expected: the clock was moved by %v instead of %v", moved, d)
	}
	return now
}
