package drive

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/check"
	"github.com/millrace-dev/millrace/hack/chaos/schedule"
)

// fault is a kind of fault that can be begun.
type fault struct {
	schedule.Kind
	// graceful says that no duplicates may come of it.
	graceful bool
	// kafka says that it strikes the brokers or the way to them.
	kafka bool
	// network and refuses are those of a check.Event.
	network, refuses bool
	begin            func(ctx context.Context, pick *rand.Rand) (applied, error)
}

// applied is a fault in force.
type applied struct {
	detail  string
	process string // that it strikes, "" for one of Kafka's side
	// end undoes the fault and waits until all is as before; nil if there is nothing to
	// do.
	end func(ctx context.Context) error
	// hits returns how many connections or requests it has hit; nil if it hits all.
	hits func() int64
}

// endTimeout bounds how long the end of a fault may take.
const endTimeout = 90 * time.Second

// executor carries out schedules.
type executor struct {
	faults  map[string]fault
	order   []fault // the same, always in the same order
	journal *journal
	checker *check.Checker
}

// run carries out the steps, whose times count from start, and ends all faults before it
// returns. It begins none after the deadline, or when ctx ends: a fault whose end takes
// long delays those after it in its lane.
func (x *executor) run(ctx context.Context, start, deadline time.Time, steps []schedule.Step) {
	var lanes sync.WaitGroup
	for _, lane := range schedule.ByLane(steps) {
		lanes.Go(func() {
			for _, step := range lane {
				if wait(ctx, time.Until(start.Add(step.At))) != nil || time.Now().After(deadline) {
					return
				}
				x.step(ctx, step, false)
			}
		})
	}
	lanes.Wait()
}

// step begins a fault, holds it and ends it. It returns nil if the fault could not begin.
func (x *executor) step(ctx context.Context, step schedule.Step, alone bool) *check.Event {
	f := x.faults[step.Kind]
	e := x.journal.begin(check.Event{
		Kind: step.Kind, Graceful: f.graceful, Kafka: f.kafka, Network: f.network, Refuses: f.refuses, Alone: alone,
	})
	a, err := f.begin(ctx, rand.New(rand.NewPCG(step.Seed, 0)))
	if err != nil {
		x.journal.drop(e, err)
		return nil
	}
	x.journal.update(e, func(e *check.Event) { e.Detail, e.Process = a.detail, a.process })
	x.journal.log("%s: %s", step.Kind, a.detail)
	_ = wait(ctx, step.Hold) // an interrupt ends the fault early
	if a.end != nil {
		x.end(ctx, step.Kind, a)
	}
	x.journal.update(e, func(e *check.Event) {
		e.End = time.Now()
		if a.hits != nil {
			e.Detail += fmt.Sprintf(", %d hits", a.hits())
		}
	})
	return e
}

func (x *executor) end(ctx context.Context, kind string, a applied) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	begun := time.Now()
	if err := a.end(ctx); err != nil {
		x.journal.log("the end of %s (%s) failed: %v", kind, a.detail, err)
		x.checker.Violate(check.Harness, begun, "the end of %s (%s) failed: %v", kind, a.detail, err)
	}
}

// wait waits for a time. It returns an error if ctx ends before.
func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// await waits until a condition holds. It looks every tenth of a second.
func await(ctx context.Context, what string, condition func() bool) error {
	for !condition() {
		if err := wait(ctx, 100*time.Millisecond); err != nil {
			return errors.Join(fmt.Errorf("waited in vain: %s", what), err)
		}
	}
	return nil
}
