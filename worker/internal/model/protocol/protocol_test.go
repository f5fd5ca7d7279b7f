package protocol

import (
	"flag"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

var (
	duration = flag.Duration("for", 0, "how long to run random schedules, and the longest time for each exhaustive search; 0 is what a test run needs")
	seed     = flag.Uint64("seed", 0, "the schedule to repeat; 0 is all")
)

// TestRandomSchedules runs schedules of scopes of all kinds. A seed decides the scope and
// the schedule: -seed repeats one.
func TestRandomSchedules(t *testing.T) {
	if *seed != 0 {
		if err := newScheduler().run(randomScope(*seed), &rules{}, *seed); err != nil {
			t.Fatalf("%v\n%v", randomScope(*seed), err)
		}
		return
	}
	begun := time.Now()
	goesOn := func(n uint64) bool {
		if *duration == 0 {
			return n <= 20_000
		}
		return time.Since(begun) < *duration
	}
	var last atomic.Uint64
	var failure atomic.Pointer[error]
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			x := newScheduler()
			for n := last.Add(1); goesOn(n) && failure.Load() == nil; n = last.Add(1) {
				if err := x.run(randomScope(n), &rules{}, n); err != nil {
					err = fmt.Errorf("%v\n%w", randomScope(n), err)
					failure.CompareAndSwap(nil, &err)
				}
				if n%1_000_000 == 0 {
					fmt.Printf("%d schedules in %v\n", n, time.Since(begun).Round(time.Second))
				}
			}
		})
	}
	workers.Wait()
	if err := failure.Load(); err != nil {
		t.Fatal(*err)
	}
	t.Logf("%d schedules in %v", last.Load(), time.Since(begun).Round(time.Millisecond))
}

// randomScope returns the scope of a seed's schedule.
func randomScope(seed uint64) *scope {
	draw := func(n uint64) int8 {
		drawn := seed % n
		seed /= n
		return int8(drawn)
	}
	return &scope{
		version: 1 + int(draw(2)), members: 2 + draw(2), partitions: 1 + draw(3), records: 1 + draw(4),
		crashes: draw(3), losses: draw(4), moves: draw(3), expiries: draw(2),
		ordered: draw(2) == 0, filtered: draw(3) == 0, evicts: draw(2) == 0,
	}
}

type rule struct {
	name   string
	broken rules
	scope  scope
}

// brokenRules are the rules, each with a scope in which it is needed.
var brokenRules = []rule{
	{"the checkpoint follows the flush", rules{earlyCheckpoint: true}, scope{version: 2, members: 2, partitions: 1, records: 2, crashes: 1}},
	{"results wait until the transaction has ended", rules{ungated: true}, scope{version: 2, members: 2, partitions: 1, records: 2, crashes: 1}},
	{"all commits are in transactions", rules{openingPlain: true}, scope{version: 2, members: 2, partitions: 1, records: 1, losses: 1, crashes: 1}},
	{"stable offsets are awaited", rules{unstable: true}, scope{version: 2, members: 2, partitions: 1, records: 2, crashes: 1}},
	{"offsets are committed under the member's generation", rules{anyGeneration: true}, scope{version: 2, members: 2, partitions: 2, records: 2, crashes: 1}},
	{"an EndTxn without an answer is not guessed", rules{guessCommitted: true}, scope{version: 2, members: 2, partitions: 1, records: 2, losses: 1}},
	{"version 1 repeats nothing", rules{repeatsOnVersion1: true}, scope{version: 1, members: 2, partitions: 1, records: 2, losses: 2}},
	{"results are in transactions with their offsets only", rules{quietForget: true}, scope{version: 2, members: 2, partitions: 2, records: 2, moves: 1}},
	{"no partition is released while it is being committed", rules{unfenced: true}, scope{version: 1, members: 2, partitions: 2, records: 2, moves: 1}},
	{"reading goes on by the map", rules{staleMap: true}, scope{version: 2, members: 2, partitions: 1, records: 2, crashes: 1}},
}

// TestEachRuleIsNeeded breaks one rule at a time. A random schedule and the search find
// that a record is lost or doubled, or that something never ends.
func TestEachRuleIsNeeded(t *testing.T) {
	for _, r := range brokenRules {
		t.Run(r.name, func(t *testing.T) {
			seed, err := firstFailure(&r)
			if err == nil {
				t.Fatal("no schedule needs the rule")
			}
			t.Logf("schedule %v", err)
			if again := newScheduler().run(&r.scope, &r.broken, seed); again == nil || again.Error() != err.Error() {
				t.Errorf("the seed's second schedule is another one: %v", again)
			}
			s := newSearch()
			s.run(newWorld(&r.scope, &r.broken, newMemory()))
			if s.failure == nil {
				t.Fatalf("none of the %d states needs the rule", s.states)
			}
			t.Logf("after %d states: %v", s.states, s.failure)
		})
	}
}

func firstFailure(r *rule) (seed uint64, err error) {
	x := newScheduler()
	for ; seed < 20_000; seed++ {
		if err := x.run(&r.scope, &r.broken, seed); err != nil {
			return seed, err
		}
	}
	return 0, nil
}

// TestSmallScopes visits every state of small scopes, and with -for those of larger ones,
// for so long at most.
func TestSmallScopes(t *testing.T) {
	scopes := []scope{
		{partitions: 1, records: 2, losses: 2},
		{partitions: 1, records: 1, crashes: 1, losses: 1, evicts: true},
		{partitions: 1, records: 2, crashes: 1},
		{partitions: 1, records: 2, moves: 1, losses: 1, expiries: 1},
		{partitions: 1, records: 3, crashes: 1, ordered: true, filtered: true},
		{partitions: 1, records: 2, crashes: 1, losses: 1},
		{partitions: 2, records: 1, crashes: 1, losses: 1},
	}
	if *duration > 0 {
		scopes = append(scopes,
			scope{partitions: 1, records: 2, crashes: 1, losses: 1, expiries: 1},
			scope{partitions: 1, records: 2, moves: 2, crashes: 1, losses: 1},
			scope{partitions: 1, records: 4, crashes: 1, losses: 1, ordered: true, filtered: true},
			scope{partitions: 2, records: 1, moves: 1, losses: 1},
			scope{partitions: 2, records: 1, moves: 1, crashes: 1},
			scope{partitions: 2, records: 1, crashes: 1, losses: 1, evicts: true},
			scope{partitions: 2, records: 2, crashes: 1},
			scope{partitions: 2, records: 2, moves: 1, losses: 1},
			scope{partitions: 2, records: 2, crashes: 1, losses: 1, ordered: true, evicts: true},
			scope{partitions: 2, records: 2, crashes: 1, losses: 1},
		)
	}
	for _, sc := range scopes {
		for version := 1; version <= 2; version++ {
			sc := sc
			sc.members, sc.version = 2, version
			t.Run(sc.String(), func(t *testing.T) {
				t.Parallel()
				visitAll(t, &sc)
			})
		}
	}
}

func visitAll(t *testing.T, sc *scope) {
	begun := time.Now()
	s := newSearch()
	if *duration > 0 {
		s.until = begun.Add(*duration)
	}
	whole := s.run(newWorld(sc, &rules{}, newMemory()))
	if s.failure != nil {
		t.Fatal(s.failure)
	}
	all := "all"
	if !whole {
		all = "the first"
	}
	t.Logf("visited %s %d states in %v", all, s.states, time.Since(begun).Round(time.Millisecond))
}
