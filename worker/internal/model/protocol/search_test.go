package protocol

import (
	"fmt"
	"hash/maphash"
	"strings"
	"time"
)

// search visits the states of a scope, depth first. It knows a state again by its hash.
type search struct {
	// Without these two reductions it visits states that differ from others in nothing
	// that is checked.
	allOrders bool // it takes all steps, instead of those that can as well go first
	remembers bool // it forgets nothing
	// views collects the views to check; nil checks each at once.
	views map[view]bool
	// found is called for each state that a step leads to, unless it is nil.
	found func(w *world, hash uint64) error
	until time.Time // zero is no end

	states  int
	failure error

	seen   seen
	hasher hasher
	worlds []*world // the states of the path, in memory that is used again
	steps  []step   // of all states of the path
	path   []step
}

func newSearch() *search {
	return &search{hasher: hasher{seed: maphash.MakeSeed()}}
}

// run visits the states that follow from the first one, and reports whether it has
// visited all.
func (s *search) run(first *world) bool {
	s.worlds = append(s.worlds, first)
	return s.visit(0)
}

// visit visits what follows the state at a place of the path, and reports whether to go on.
func (s *search) visit(depth int) bool {
	w := s.worlds[depth]
	s.states++
	if !s.until.IsZero() && s.states%1024 == 0 && time.Now().After(s.until) {
		return false
	}
	if err := s.check(w, (*world).check, false); err != nil {
		return s.fail(w, err)
	}
	if depth+1 == len(s.worlds) {
		s.worlds = append(s.worlds, newWorld(w.scope, w.broken, w.memory))
	}
	next := s.worlds[depth+1]
	first := len(s.steps)
	s.steps = s.stepsFrom(w, s.steps)
	goesOn := false
	for i := first; i < len(s.steps); i++ {
		step := s.steps[i]
		goesOn = goesOn || !step.fault
		hash := s.follow(next, w, step)
		if s.found != nil {
			if err := s.found(next, hash); err != nil {
				return s.fail(next, err)
			}
		}
		if !s.seen.add(hash) {
			continue
		}
		s.path = append(s.path, step)
		if !s.visit(depth + 1) {
			return false
		}
		s.path = s.path[:len(s.path)-1]
	}
	s.steps = s.steps[:first]
	if !goesOn {
		if err := s.check(w, (*world).checkEnd, true); err != nil {
			return s.fail(w, err)
		}
	}
	return true
}

// stepsFrom appends the steps of a state that the search takes.
func (s *search) stepsFrom(w *world, list []step) []step {
	if s.allOrders {
		return w.steps(list)
	}
	return w.stepsToSearch(list)
}

// follow makes next the state that a step leads to, and returns its hash.
func (s *search) follow(next, w *world, step step) uint64 {
	next.copy(w)
	step.apply(next, step)
	if !s.remembers {
		next.forget()
	}
	return s.hasher.hash(next)
}

func (s *search) check(w *world, check func(*world) error, atEnd bool) error {
	if s.views == nil {
		return check(w)
	}
	v, err := w.view()
	v.misplaced, v.atEnd = err != nil, atEnd
	s.views[v] = true
	return nil
}

// fail notes the broken invariant, and the steps that led to it. It returns false.
func (s *search) fail(w *world, err error) bool {
	var b strings.Builder
	fmt.Fprintf(&b, "%v, after:", err)
	for _, step := range s.path {
		fmt.Fprintf(&b, "\n  %v", step)
	}
	fmt.Fprintf(&b, "\nthe state is then:\n%v", w)
	s.failure = fmt.Errorf("%s", b.String())
	return false
}
