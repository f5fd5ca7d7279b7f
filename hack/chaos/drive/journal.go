package drive

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/check"
)

// journal prints what happens and keeps the faults. It is safe for concurrent use.
type journal struct {
	start time.Time
	out   io.Writer

	mu     sync.Mutex
	events []*check.Event
	failed map[string]int // faults that could not begin, by kind
}

func newJournal(out io.Writer) *journal {
	return &journal{start: time.Now(), out: out, failed: map[string]int{}}
}

// log prints a line with the time since the start of the run.
func (j *journal) log(format string, args ...any) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.print(format, args...)
}

func (j *journal) print(format string, args ...any) {
	_, _ = fmt.Fprintf(j.out, "%7.1fs  %s\n", time.Since(j.start).Seconds(), fmt.Sprintf(format, args...))
}

// begin notes a fault that begins now. The caller fills in what it learns about it with
// update.
func (j *journal) begin(e check.Event) *check.Event {
	j.mu.Lock()
	defer j.mu.Unlock()
	e.Begin = time.Now()
	j.events = append(j.events, &e)
	return &e
}

func (j *journal) update(e *check.Event, change func(*check.Event)) {
	j.mu.Lock()
	defer j.mu.Unlock()
	change(e)
}

// drop removes a fault that could not begin.
func (j *journal) drop(e *check.Event, err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for i := range j.events {
		if j.events[i] == e {
			j.events = append(j.events[:i], j.events[i+1:]...)
			break
		}
	}
	j.failed[e.Kind]++
	j.print("%s: not possible now: %v", e.Kind, err)
}

// all returns the faults since the last call, and how many could not begin. Those that
// have not ended end now.
func (j *journal) all() (events []check.Event, failed map[string]int) {
	j.mu.Lock()
	defer j.mu.Unlock()
	events = make([]check.Event, len(j.events))
	for i, e := range j.events {
		events[i] = *e
		if e.End.IsZero() {
			events[i].End = time.Now()
		}
		if e.Until.IsZero() {
			events[i].Until = events[i].End.Add(until)
		}
	}
	failed = j.failed
	j.events, j.failed = nil, map[string]int{}
	return events, failed
}

// until is how long after its end a fault that others overlap counts as the cause of a
// stall.
const until = 5 * time.Second
