package protocol

import (
	"fmt"
	"math/rand/v2"
	"strings"

	"github.com/millrace-dev/millrace/worker/internal/model/broker"
)

// longest bounds a schedule: without faults, everything is settled long before.
const longest = 3000

// scheduler runs schedules, one after the other.
type scheduler struct {
	memory *memory
	world  *world
	steps  []step
	path   []step
}

func newScheduler() *scheduler {
	return &scheduler{memory: newMemory(), world: &world{cluster: &broker.Cluster{}}}
}

// run runs one random schedule of a scope. The seed decides everything in it.
func (x *scheduler) run(s *scope, broken *rules, seed uint64) error {
	r := rand.New(rand.NewPCG(seed, 1))
	w := x.world
	w.copy(newWorld(s, broken, x.memory))
	faulty := 1 + r.IntN(8) // one in so many chances for a fault is taken
	path := x.path[:0]
	defer func() { x.path = path }()
	for range longest {
		x.steps = w.steps(x.steps[:0])
		next, ok := choose(x.steps, r, faulty)
		if !ok {
			if err := w.checkEnd(); err != nil {
				return describe(seed, err, path, w)
			}
			return nil
		}
		path = append(path, next)
		next.apply(w, next)
		if err := w.check(); err != nil {
			return describe(seed, err, path, w)
		}
	}
	return describe(seed, fmt.Errorf("nothing has ended after %d steps", longest), path, w)
}

// choose takes one of the steps, and reports whether there is one that is no fault.
func choose(steps []step, r *rand.Rand, faulty int) (step, bool) {
	goesOn := false
	for _, s := range steps {
		goesOn = goesOn || !s.fault
	}
	if !goesOn {
		return step{}, false
	}
	for {
		if s := steps[r.IntN(len(steps))]; !s.fault || r.IntN(faulty) == 0 {
			return s, true
		}
	}
}

func describe(seed uint64, err error, path []step, w *world) error {
	var b strings.Builder
	fmt.Fprintf(&b, "seed %d: %v, after:", seed, err)
	for _, s := range path {
		fmt.Fprintf(&b, "\n  %v", s)
	}
	return fmt.Errorf("%s\nthe state is then:\n%v", b.String(), w)
}
