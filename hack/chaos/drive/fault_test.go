package drive

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/check"
	"github.com/millrace-dev/millrace/hack/chaos/schedule"
)

// scene is an executor of faults that only note that they begin and end.
type scene struct {
	x   *executor
	out bytes.Buffer

	mu    sync.Mutex
	noted []string
}

func newScene(failing string) *scene {
	s := &scene{}
	s.x = &executor{faults: map[string]fault{}, journal: newJournal(&s.out), checker: check.New(check.Settings{})}
	for _, name := range []string{"a", "b", "broken"} {
		s.x.faults[name] = fault{
			Kind: schedule.Kind{Name: name},
			begin: func(context.Context, *rand.Rand) (applied, error) {
				if name == failing {
					return applied{}, errors.New("not now")
				}
				s.note("begin " + name)
				return applied{detail: name, process: "p", hits: func() int64 { return 3 }, end: func(context.Context) error {
					s.note("end " + name)
					if name == "broken" {
						return errors.New("it stays broken")
					}
					return nil
				}}, nil
			},
		}
	}
	return s
}

func (s *scene) note(what string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.noted = append(s.noted, what)
}

func step(kind, class string, at, hold time.Duration) schedule.Step {
	return schedule.Step{Kind: kind, Lane: schedule.Lane{Class: class}, At: at, Hold: hold}
}

func TestFaultsOfALaneFollowEachOther(t *testing.T) {
	s := newScene("")
	start := time.Now()
	s.x.run(context.Background(), start, start.Add(time.Hour), []schedule.Step{
		step("a", "one", 0, 20*time.Millisecond), step("b", "one", time.Millisecond, 0),
	})
	if got := strings.Join(s.noted, ", "); got != "begin a, end a, begin b, end b" {
		t.Errorf("the faults went: %s", got)
	}
	events, _ := s.x.journal.all()
	if len(events) != 2 || events[0].Process != "p" || events[0].Detail != "a, 3 hits" || events[0].End.Sub(events[0].Begin) < 20*time.Millisecond {
		t.Errorf("the events are %+v", events)
	}
}

func TestFaultsOfOtherLanesOverlap(t *testing.T) {
	s := newScene("")
	done := time.AfterFunc(time.Minute, func() { panic("the faults wait for each other") })
	t.Cleanup(func() { done.Stop() })
	both := make(chan struct{})
	meet := s.x.faults["b"]
	meet.begin = func(context.Context, *rand.Rand) (applied, error) {
		close(both)
		return applied{}, nil
	}
	s.x.faults["b"] = meet
	wait := s.x.faults["a"]
	wait.begin = func(context.Context, *rand.Rand) (applied, error) {
		<-both // hangs unless b begins while a does
		return applied{}, nil
	}
	s.x.faults["a"] = wait
	start := time.Now()
	s.x.run(context.Background(), start, start.Add(time.Hour), []schedule.Step{step("a", "one", 0, 0), step("b", "two", 0, 0)})
}

func TestNoFaultBeginsAfterTheDeadline(t *testing.T) {
	s := newScene("")
	start := time.Now()
	s.x.run(context.Background(), start, start.Add(-time.Second), []schedule.Step{step("a", "one", 0, 0)})
	if len(s.noted) > 0 {
		t.Errorf("the faults went: %v", s.noted)
	}
}

// TestInterruptEndsFaults: a fault that is in force when the run is interrupted is undone.
func TestInterruptEndsFaults(t *testing.T) {
	s := newScene("")
	ctx, interrupt := context.WithCancel(context.Background())
	begun := s.x.faults["a"]
	inner := begun.begin
	begun.begin = func(ctx context.Context, pick *rand.Rand) (applied, error) {
		defer interrupt()
		return inner(ctx, pick)
	}
	s.x.faults["a"] = begun
	start := time.Now()
	s.x.run(ctx, start, start.Add(time.Hour), []schedule.Step{step("a", "one", 0, time.Hour), step("b", "one", time.Hour, 0)})
	if got := strings.Join(s.noted, ", "); got != "begin a, end a" {
		t.Errorf("the faults went: %s", got)
	}
}

func TestFaultThatCannotBegin(t *testing.T) {
	s := newScene("a")
	if e := s.x.step(context.Background(), step("a", "one", 0, 0), false); e != nil {
		t.Errorf("the event is %+v", e)
	}
	if events, failed := s.x.journal.all(); len(events) != 0 || failed["a"] != 1 {
		t.Errorf("events %v, failed %v", events, failed)
	}
}

func TestFaultThatCannotBeUndone(t *testing.T) {
	s := newScene("")
	s.x.step(context.Background(), step("broken", "one", 0, 0), false)
	if v := s.x.checker.Violations(); v[check.Harness].Count != 1 {
		t.Errorf("the violations are %v", v)
	}
}
