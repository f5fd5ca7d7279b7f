package dispatch

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

// twoKeys returns lanes and two keys with different lanes.
func twoKeys() (lanes *Lanes, a, b []byte) {
	lanes, a = NewKeyLanes(8), []byte("a")
	laneOf := func(key []byte) *lane { return lanes.keyLane(&testChunk(lanes, 0, 0, key).Records[0]) }
	for n := 0; ; n++ {
		if b = fmt.Append(nil, n); laneOf(a) != laneOf(b) {
			return lanes, a, b
		}
	}
}

// TestLightRecordsOfKeysStayTogether: goroutines claim light records in the order of
// their partition, and nobody sorts them by key.
func TestLightRecordsOfKeysStayTogether(t *testing.T) {
	lanes, key1, key2 := twoKeys()
	b := &newIdlePool(2, time.Microsecond).backlog
	c := testChunk(lanes, 0, 0, key1, key2, key1, key2)
	b.addOrdered(c)
	if b.ready.len() != 1 || b.ready.items[0] != &lanes.trunk || lanes.spread || c.linked {
		t.Fatalf("%d lanes are ready, want the trunk", b.ready.len())
	}
	b.perRecord = b.light + 1
	b.addOrdered(testChunk(lanes, 0, 4, key2, key1))
	if b.ready.len() != 1 || lanes.trunk.waiting != 6 {
		t.Fatal("heavy records overtake the records in the trunk")
	}
	for n, it := range lanes.trunk.popItems(nil, 6) {
		if it.Record().Offset != int64(n) {
			t.Errorf("item %d is record %d", n, it.Record().Offset)
		}
	}
	lanes.trunk.setState(laneIdle)
	b.ready.pop()
	b.addOrdered(testChunk(lanes, 0, 6, key2, key1))
	if b.ready.len() != 2 || lanes.trunk.waiting != 0 || lanes.busy != 2 {
		t.Errorf("%d lanes are ready, want those of the two keys", b.ready.len())
	}
	b.perRecord = 1
	b.addOrdered(testChunk(lanes, 0, 8, key2))
	if lanes.trunk.waiting != 0 {
		t.Error("light records overtake the records in the key lanes")
	}
}

// TestIdleGoroutinesGetTheirShareOfATrunk: at the end of its turn a trunk is spread
// over the key lanes if a goroutine is idle and enough records wait for it.
func TestIdleGoroutinesGetTheirShareOfATrunk(t *testing.T) {
	for _, tc := range []struct {
		name      string
		idle      int
		perRecord time.Duration
		lanes     int
	}{
		{"no goroutine is idle", 0, claimTime, 1},
		{"too little to share", 1, claimTime / 4, 1},
		{"enough to share", 1, claimTime / 2, 2},
	} {
		t.Run(tc.name, func(t *testing.T) {
			lanes, a, b := twoKeys()
			p := newIdlePool(2, time.Hour)
			p.backlog.addOrdered(testChunk(lanes, 0, 0, a, a, b, a, b))
			var c claim
			p.backlog.fillFromLane(&c, 2)
			p.crew.idle = tc.idle
			p.backlog.endClaim(&c, tc.perRecord)
			if p.backlog.ready.len() != tc.lanes || lanes.busy != tc.lanes || p.backlog.queued != 3 {
				t.Fatalf("%d lanes are ready with %d records, %d are busy; want %d", p.backlog.ready.len(), p.backlog.queued, lanes.busy, tc.lanes)
			}
			var rest []Item
			for p.backlog.ready.len() > 0 {
				rest = p.backlog.ready.pop().popItems(rest, 3)
			}
			if len(rest) != 3 || rest[0].Index < 2 {
				t.Errorf("the items left are %+v, want the last 3", rest)
			}
		})
	}
}

// TestATroubledRecordOfATrunkHoldsUpItsKeyOnly: the first record of a key fails or
// blocks, in front of records of the same claim and of records not yet claimed.
func TestATroubledRecordOfATrunkHoldsUpItsKeyOnly(t *testing.T) {
	for name, trouble := range map[string]func(release <-chan struct{}) error{
		"fails":  func(<-chan struct{}) error { return errors.New("not now") },
		"blocks": func(release <-chan struct{}) error { <-release; return nil },
	} {
		for _, batch := range []int{1, 3} {
			t.Run(fmt.Sprint(name, " in batches of ", batch), func(t *testing.T) {
				lanes, a, b := twoKeys()
				release := make(chan struct{})
				finished := make(chan Item, 100)
				p := newTestPool(t, poolOptions{
					goroutines: 2, batch: batch, light: time.Hour,
					process: func(_ context.Context, it Item) error {
						if it.Record().Offset == 0 {
							return trouble(release)
						}
						return nil
					},
					finish: func(it Item, err error) (time.Duration, bool) {
						if err != nil {
							select {
							case <-release:
							default:
								return time.Millisecond, true
							}
						}
						finished <- it
						return 0, false
					},
				})
				p.Push(
					testChunk(lanes, 0, 0, a, a, a, b, a, b),
					testChunk(lanes, 0, 6, b, a, b, a, b),
				)
				next := func(what string) int64 {
					select {
					case it := <-finished:
						return it.Record().Offset
					case <-time.After(20 * time.Second):
						t.Fatalf("timed out waiting for %s", what)
						return -1
					}
				}
				for _, want := range []int64{3, 5, 6, 8, 10} {
					if got := next("the other key"); got != want {
						t.Fatalf("record %d finished, want %d", got, want)
					}
				}
				close(release)
				for _, want := range []int64{0, 1, 2, 4, 7, 9} {
					if got := next("the troubled key"); got != want {
						t.Fatalf("record %d finished, want %d", got, want)
					}
				}
			})
		}
	}
}

// TestASlowClaimIsGivenToOthers: if each record of a claim takes a little longer than
// earlier ones did, the goroutine keeps the unstarted records no longer than it would
// keep them beside a single slow record.
func TestASlowClaimIsGivenToOthers(t *testing.T) {
	for _, tc := range []struct {
		name     string
		age      time.Duration // of the claim
		kept     int           // records
		returned int
	}{
		{"young", slow - 1, 4, 0},
		{"old", slow, 2, 4},
	} {
		t.Run(tc.name, func(t *testing.T) {
			lanes, a, b := twoKeys()
			p := newIdlePool(2, time.Hour)
			p.backlog.addOrdered(testChunk(lanes, 0, 0, a, b, a, b, b, b))
			r := newRunner(p)
			p.backlog.fillFromLane(&r.claim, 4)
			r.claimedAt.Store(int64(time.Second))
			r.nextGroup()
			r.state.Add(running)
			p.watchdog.inspect(r, &sighting{}, p.started.Add(time.Second+tc.age))
			if len(r.claim.items) != tc.kept || p.backlog.queued != tc.returned {
				t.Errorf("%d records are kept and %d returned, want %d and %d", len(r.claim.items), p.backlog.queued, tc.kept, tc.returned)
			}
		})
	}
}
