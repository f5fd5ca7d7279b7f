package protocol

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
)

// TestSearchSkipsNothing searches scopes with and without the states that the search
// skips: both see the same, also where a rule is broken.
func TestSearchSkipsNothing(t *testing.T) {
	var list []rule
	for _, sc := range reductionScopes() {
		list = append(list, rule{"none", rules{}, sc})
	}
	for _, r := range brokenRules {
		r.scope.records = 1
		list = append(list, r)
	}
	for _, r := range list {
		t.Run(r.name+" "+r.scope.String(), func(t *testing.T) {
			t.Parallel()
			var views [2]map[view]bool
			var states [2]int
			for i, whole := range []bool{false, true} {
				s := newSearch()
				s.allOrders, s.remembers, s.views = whole, whole, make(map[view]bool)
				s.run(newWorld(&r.scope, &r.broken, newMemory()))
				views[i], states[i] = s.views, s.states
			}
			if !maps.Equal(views[0], views[1]) {
				t.Errorf("with all states, the search sees %v, and otherwise %v", views[1], views[0])
			}
			t.Logf("%d of %d states show %d views", states[0], states[1], len(views[1]))
		})
	}
}

// reductionScopes returns scopes with each kind of step in them.
func reductionScopes() []scope {
	scopes := []scope{
		{version: 1, members: 2, partitions: 1, records: 1, crashes: 1, evicts: true},
		{version: 2, members: 2, partitions: 1, records: 1, crashes: 1, losses: 1},
		{version: 1, members: 2, partitions: 1, records: 1, moves: 1, losses: 1},
		{version: 2, members: 2, partitions: 1, records: 1, moves: 1, losses: 1, expiries: 1},
		{version: 2, members: 2, partitions: 1, records: 2, crashes: 1, ordered: true},
		{version: 1, members: 2, partitions: 2, records: 1, moves: 1, filtered: true},
		{version: 2, members: 3, partitions: 1, records: 1, moves: 2},
	}
	if *duration > 0 {
		scopes = append(scopes,
			scope{version: 1, members: 2, partitions: 1, records: 1, crashes: 1, losses: 1, evicts: true},
			scope{version: 1, members: 2, partitions: 1, records: 2, moves: 1, losses: 1},
			scope{version: 2, members: 2, partitions: 1, records: 2, moves: 1, losses: 1, expiries: 1},
			scope{version: 1, members: 2, partitions: 2, records: 1, moves: 1},
			scope{version: 2, members: 2, partitions: 2, records: 1, moves: 1, evicts: true},
			scope{version: 2, members: 3, partitions: 1, records: 1, moves: 2, losses: 1},
		)
	}
	return scopes
}

// judged searches the scopes, and has judge look at each state that a step leads to.
func judged(t *testing.T, judge func(j *judging, w *world, hash uint64) error, set func(*search)) {
	for _, sc := range reductionScopes() {
		t.Run(sc.String(), func(t *testing.T) {
			t.Parallel()
			room := func() *world { return newWorld(&sc, &rules{}, newMemory()) }
			j := &judging{search: newSearch(), known: make(map[uint64]uint64), later: room(), first: room(), next: room()}
			set(j.search)
			j.found = func(w *world, hash uint64) error { return judge(j, w, hash) }
			if !j.run(room()) {
				t.Fatal(j.failure)
			}
			t.Logf("%d states, %d judged", j.states, j.cases)
			if j.cases == 0 {
				t.Error("nothing was judged")
			}
		})
	}
}

// judging is a search with a second look at its states.
type judging struct {
	*search
	cases int
	known map[uint64]uint64

	later, first, next *world // room for states
}

// allAfter returns the hashes of the states that all steps lead to.
func (j *judging) allAfter(w *world) (hashes []uint64) {
	for _, step := range w.steps(nil) {
		hashes = append(hashes, j.follow(j.next, w, step))
	}
	return hashes
}

// TestSameHashGoesOnAlike looks at what follows the states that have the same hash: it
// has the same hashes again.
func TestSameHashGoesOnAlike(t *testing.T) {
	judged(t, func(j *judging, w *world, hash uint64) error {
		sum := uint64(0)
		for _, h := range j.allAfter(w) {
			sum += h
		}
		before, ok := j.known[hash]
		if ok && before != sum {
			return errors.New("a state with the same hash goes on in another way")
		} else if ok {
			j.cases++
			return nil
		}
		j.known[hash] = sum
		return nil
	}, func(*search) {})
}

// TestForgettingLosesNothing looks at the states in which there is something to forget:
// for each step from there, one from the state without it leads to the same.
func TestForgettingLosesNothing(t *testing.T) {
	judged(t, func(j *judging, w *world, hash uint64) error {
		less := j.first
		less.copy(w)
		less.forget()
		without := j.hasher.hash(less)
		if without == hash {
			return nil
		}
		j.cases++
		j.remembers = false
		defer func() { j.remembers = true }()
		possible := append(j.allAfter(less), without)
		for _, step := range w.steps(nil) {
			if slices.Contains(possible, j.follow(j.next, w, step)) {
				continue
			}
			j.next.losses = w.losses // it is lost on something that makes no difference
			if !slices.Contains(possible, j.hasher.hash(j.next)) {
				return fmt.Errorf("%v is not possible any more after forgetting, in the state\n%v", step, less)
			}
		}
		return nil
	}, func(s *search) { s.allOrders, s.remembers = true, true })
}

// TestOwnStepsCanGoFirst looks at the states in which the search takes one member's
// steps only. After each of the others they are still possible, and in either order both
// lead to the same; or there is nothing left of one of them after the other.
func TestOwnStepsCanGoFirst(t *testing.T) {
	judged(t, func(j *judging, w *world, _ uint64) error {
		all, own := w.steps(nil), w.stepsToSearch(nil)
		if len(own) == len(all) {
			return nil
		}
		j.cases++
		for _, other := range all {
			if slices.ContainsFunc(own, other.is) {
				continue
			}
			if err := j.commutes(w, own, other); err != nil {
				return err
			}
		}
		return nil
	}, func(s *search) { s.allOrders = true })
}

func (j *judging) commutes(w *world, own []step, other step) error {
	later, first := j.later, j.first
	hash := j.follow(later, w, other)
	m := &later.members[own[0].member]
	same := later.groupIsSettled() && later.isAlone(m) && slices.EqualFunc(later.memberSteps(nil, m), own, step.is)
	for _, step := range own {
		j.follow(first, w, step)
		possible := j.allAfter(first)
		if slices.Contains(possible, hash) {
			return nil
		}
		same = same && slices.Contains(possible, j.follow(j.next, later, step))
	}
	if !same {
		return fmt.Errorf("%v makes a difference before %v", other, own)
	}
	return nil
}

// is reports whether two steps are the same.
func (s step) is(o step) bool { return s.what == o.what && s.member == o.member && s.which == o.which }
