package dispatch

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// TestFailingKeysHoldUpNoOthers: a thousand keys of a partition fail that share eight
// lanes with a thousand healthy ones. The healthy keys' records must finish.
func TestFailingKeysHoldUpNoOthers(t *testing.T) {
	for name, light := range map[string]time.Duration{"in lanes": 0, "in the trunk": time.Hour} {
		t.Run(name, func(t *testing.T) {
			const keys, rounds = 1000, 3
			failing := func(it Item) bool { return it.Record().Offset%2 == 0 }
			lanes := NewKeyLanes(8)
			var released atomic.Bool
			var left atomic.Int32
			left.Store(keys * rounds)
			others := make(chan struct{})
			o := newOrder(t, 2*keys*rounds, keyOf)
			p := newTestPool(t, poolOptions{
				goroutines: 2, light: light,
				process: func(_ context.Context, it Item) error {
					o.begin(it.Record())
					defer o.end(it.Record())
					if failing(it) && !released.Load() {
						return errors.New("not now")
					}
					return nil
				},
				finish: func(it Item, err error) (time.Duration, bool) {
					if err != nil {
						return 100 * time.Millisecond, true
					}
					o.finish(it.Record())
					if !failing(it) && left.Add(-1) == 0 {
						close(others)
					}
					return 0, false
				},
			})
			for round := range rounds {
				for first := 0; first < 2*keys; first += 200 {
					var chunk [][]byte
					for k := range 200 {
						chunk = append(chunk, fmt.Append(nil, first+k))
					}
					p.Push(testChunk(lanes, 0, int64(round*2*keys+first), chunk...))
				}
			}
			wait(t, "the other keys", others)
			p.mu.Lock()
			if n := len(lanes.aside); n != keys {
				t.Errorf("%d keys have lanes aside, want the %d failing ones", n, keys)
			}
			p.mu.Unlock()
			released.Store(true)
			wait(t, "the failing keys", o.done)
			deadline := time.Now().Add(time.Minute)
			for aside := -1; aside != 0; { // the goroutines end the turns of the last lanes soon
				p.mu.Lock()
				aside = len(lanes.aside)
				p.mu.Unlock()
				if time.Now().After(deadline) {
					t.Fatalf("%d lanes aside are left", aside)
				}
			}
		})
	}
}

// TestTroubledRecordsHoldUpNoneBesideThem: a record fails or blocks in front of others
// that share the only lane.
func TestTroubledRecordsHoldUpNoneBesideThem(t *testing.T) {
	for name, trouble := range map[string]func(release <-chan struct{}) error{
		"fail":  func(<-chan struct{}) error { return errors.New("not now") },
		"block": func(release <-chan struct{}) error { <-release; return nil },
	} {
		for _, key := range [][]byte{[]byte("troubled"), nil} {
			t.Run(fmt.Sprintf("%s, key %q", name, key), func(t *testing.T) {
				lanes := NewKeyLanes(1)
				release := make(chan struct{})
				var mu sync.Mutex
				finished := map[int64]bool{}
				others, all := make(chan struct{}), make(chan struct{})
				p := newTestPool(t, poolOptions{
					goroutines: 2,
					process: func(_ context.Context, it Item) error {
						if it.Record().Offset == 0 {
							select {
							case <-release:
							default:
								return trouble(release)
							}
						}
						return nil
					},
					finish: func(it Item, err error) (time.Duration, bool) {
						if err != nil {
							return time.Millisecond, true
						}
						mu.Lock()
						defer mu.Unlock()
						finished[it.Record().Offset] = true
						if len(finished) == 5 && !finished[0] && finished[5] == (key == nil) {
							close(others)
						}
						if len(finished) == 7 {
							close(all)
						}
						return 0, false
					},
				})
				other := []byte("other")
				// With a key, record 5 waits for record 0. Without one it does not wait, and
				// the test pushes record 6 after the release.
				p.Push(testChunk(lanes, 0, 0, key, other, other))
				p.Push(testChunk(lanes, 0, 3, other, other, key))
				if key != nil {
					p.Push(testChunk(lanes, 0, 6, other))
				}
				wait(t, "the others", others)
				close(release)
				if key == nil {
					p.Push(testChunk(lanes, 0, 6, other))
				}
				wait(t, "all", all)
			})
		}
	}
}

// TestABackoffDoesNotWaitForASlowRecord: a goroutine claims two keys; the first one's
// record fails and the second one's blocks. The first key's backoff must begin.
func TestABackoffDoesNotWaitForASlowRecord(t *testing.T) {
	lanes, a, b := twoKeys()
	p := newIdlePool(2, time.Hour)
	p.backlog.addOrdered(testChunk(lanes, 0, 0, a, b, a, b))
	r := newRunner(p)
	p.backlog.fillFromLane(&r.claim, 4)
	r.nextGroup()
	r.finish(&session{worker: &script{
		errs:   []error{errors.New("not now")},
		finish: func(Item, error) (time.Duration, bool) { return time.Millisecond, true },
	}})
	r.claimedAt.Store(int64(time.Second))
	r.nextGroup()
	r.state.Add(running)
	p.watchdog.inspect(r, &sighting{}, p.started.Add(time.Second+slow))
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(time.Millisecond) {
		p.mu.Lock()
		ready := p.backlog.ready.len()
		p.mu.Unlock()
		if ready == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the failed key waits for the blocked one")
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var offsets []int64
	for _, it := range p.backlog.ready.pop().popItems(nil, 4) {
		offsets = append(offsets, it.Record().Offset)
	}
	if fmt.Sprint(offsets) != "[0 2]" || len(r.claim.items) != 3 || r.claim.items[2].Record().Offset != 3 {
		t.Errorf("records %v are tried again, and %d stay with the claim", offsets, len(r.claim.items))
	}
}
