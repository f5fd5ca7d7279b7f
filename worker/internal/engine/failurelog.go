package engine

import (
	"bytes"
	"errors"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/telemetry"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
)

// failureLog logs failures of single records, at a limited rate.
type failureLog struct {
	lines *telemetry.Limited

	mu     sync.Mutex
	stacks map[string]time.Time // by the place of a panic, when its stack was logged; guarded by mu
}

// stackInterval is the least time between two logs of one panic's stack.
const stackInterval = 10 * time.Minute

// maxStacks bounds the places whose stacks are logged.
const maxStacks = 100

func newFailureLog(lines *telemetry.Limited) *failureLog {
	return &failureLog{lines: lines, stacks: make(map[string]time.Time)}
}

// attempt logs a failed attempt.
func (l *failureLog) attempt(rec *record.Record, attempts int, err error) {
	l.failure("attempt failed", describe(rec, attempts, err), err)
}

// together logs that a call of several records failed, one of which is rec.
func (l *failureLog) together(rec *record.Record, wait time.Duration, err error) {
	l.failure("a call of several records failed; they are tried again in calls of half as many",
		append(recordAt(rec.Topic, rec.Partition, rec.Offset), "wait", wait.String(), "error", shortened(err.Error())), err)
}

// observer logs that the processor's Observe panicked on an outcome.
func (l *failureLog) observer(o *record.Outcome, panics int64, err error) {
	l.failure("the processor's Observe panicked; the record is settled all the same, correct the processor",
		append(recordAt(o.Input.Topic, o.Input.Partition, o.Input.Offset), "fate", o.Fate.String(), "panics", panics, "error", shortened(err.Error())), err)
}

// failure logs a failure of the user's code. The first panic of each place is
// logged in any case, with its stack.
func (l *failureLog) failure(message string, values []any, err error) {
	var p *usercode.PanicError
	if errors.As(err, &p) {
		place := panicPlace(p.Stack)
		values = append(values, "at", place)
		if l.stackDue(place, time.Now()) {
			l.lines.Always(message, append(values, "stack", string(p.Stack))...)
			return
		}
	}
	l.lines.Info(message, values...)
}

// exhausted logs the end of a record that is not tried again.
func (l *failureLog) exhausted(message string, rec *record.Record, attempts int, err error) {
	l.lines.Info(message, describe(rec, attempts, err)...)
}

func describe(rec *record.Record, attempts int, err error) []any {
	return append(recordAt(rec.Topic, rec.Partition, rec.Offset), "attempts", attempts, "error", shortened(err.Error()))
}

func recordAt(topic string, partition int32, offset int64) []any {
	return []any{"topic", topic, "partition", partition, "offset", offset}
}

// shortened keeps a log line readable: an error may quote the whole value.
func shortened(text string) string {
	const most = 1024
	if len(text) <= most {
		return text
	}
	end := most
	for end > 0 && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end] + "..."
}

func (l *failureLog) stackDue(place string, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	last, known := l.stacks[place]
	if known && now.Sub(last) < stackInterval || !known && len(l.stacks) >= maxStacks {
		return false
	}
	l.stacks[place] = now
	return true
}

// panicPlace returns the file and line of the user's code that panicked, as they
// stand in a stack.
func panicPlace(stack []byte) string {
	lines := bytes.Split(stack, []byte("\n"))
	panicked := 0
	for i, line := range lines {
		if bytes.HasPrefix(line, []byte("panic(")) {
			panicked = i + 2 // behind the call and its file
		}
	}
	// A runtime error has the runtime's frames on top.
	for i := panicked; i+1 < len(lines); i += 2 {
		if bytes.HasPrefix(lines[i], []byte("runtime.")) {
			continue
		}
		file := bytes.TrimSpace(lines[i+1])
		if end := bytes.LastIndex(file, []byte(" +0x")); end > 0 {
			file = file[:end]
		}
		return string(file)
	}
	return ""
}
