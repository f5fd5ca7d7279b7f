package telemetry

import (
	"bytes"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
)

// lockedBuffer is a log to which several goroutines may write.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// lines returns the number of lines that contain the text.
func (b *lockedBuffer) lines(text string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.text.String(), text)
}

func TestLimitedLogLeavesOutAndCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lockedBuffer
		l := NewLimited(NewLogger(config.LogText, &log))
		for range 1000 {
			l.Info("failed", "offset", 1)
		}
		l.Info("dropped", "offset", 2)
		if n := log.lines("msg=failed"); n != linesAtOnce {
			t.Errorf("%d lines at once, want %d", n, linesAtOnce)
		}
		if log.lines("msg=dropped") != 1 {
			t.Error("a line of another kind was left out")
		}
		time.Sleep(time.Second)
		synctest.Wait()
		if log.lines("kind=failed lines=995") != 1 {
			t.Errorf("the log does not say how many lines were left out:\n%s", log.text.String())
		}
		time.Sleep(10 * time.Second)
		l.Info("failed", "offset", 3)
		if n := log.lines("msg=failed"); n != linesAtOnce+1 {
			t.Errorf("%d lines, want one more after a pause", n)
		}
	})
}

func TestLimitedLogSaysAtItsEndWhatItLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var log lockedBuffer
		l := NewLimited(NewLogger(config.LogText, &log))
		for range 100 {
			l.Info("failed")
		}
		l.Close()
		if log.lines("kind=failed lines=95") != 1 {
			t.Errorf("the log does not say how many lines were left out:\n%s", log.text.String())
		}
		for range 100 {
			l.Info("failed")
		}
		written := log.lines("\n")
		time.Sleep(time.Hour)
		if log.lines("\n") != written {
			t.Error("Limited wrote a line after Close")
		}
	})
}

func TestLimitedLogWritesAllForDebug(t *testing.T) {
	var log lockedBuffer
	l := NewLimited(NewLoggerAt(config.LogDebug, config.LogText, &log))
	defer l.Close()
	for range 100 {
		l.Info("failed")
	}
	if n := log.lines("msg=failed"); n != 100 {
		t.Errorf("%d lines, want all 100", n)
	}
}

func TestLimitedLogIsSafeForConcurrentUse(t *testing.T) {
	var log lockedBuffer
	l := NewLimited(NewLogger(config.LogText, &log))
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 500 {
				l.Info("failed")
			}
		})
	}
	all.Wait()
	l.Close()
	if n := log.lines("msg=failed"); n < linesAtOnce || n > 1000 {
		t.Errorf("%d lines", n)
	}
}
