package group

import (
	"errors"
	"maps"
	"slices"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/internal/kafka/assign"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
)

func static(id string) func(*crew) { return func(c *crew) { c.cfg.InstanceID = id } }

// flow lets members come, leave and die one after another.
func flow(t *testing.T, f *fleet) {
	t.Helper()
	a := f.start()
	f.await(a)
	if !a.m.Joined() || a.m.ID() == "" || a.m.Generation() < 0 {
		t.Errorf("joined %v, id %q, generation %d", a.m.Joined(), a.m.ID(), a.m.Generation())
	}

	owners, since := f.ownership()
	b := f.start()
	f.await(a, b)
	if kept := f.checkKept(owners, since); kept != int(f.partitions)/2 {
		t.Errorf("%d partitions stayed, want %d", kept, f.partitions/2)
	}

	owners, since = f.ownership()
	c := f.start()
	f.await(a, b, c)
	f.checkKept(owners, since)

	owners, since = f.ownership()
	b.leave()
	f.await(a, c)
	if kept := f.checkKept(owners, since); kept != int(f.partitions)*2/3 {
		t.Errorf("%d partitions stayed, want %d", kept, f.partitions*2/3)
	}

	owners, since = f.ownership()
	a.kill()
	f.await(c)
	f.checkKept(owners, since)
	if lost := c.lostSoFar(); len(lost) > 0 {
		t.Errorf("lost partitions: %v", lost)
	}
	c.leave()
}

func TestMembersComeAndGo(t *testing.T) {
	f, _ := fakeFleet(t, 6)
	flow(t, f)
}

func TestMembersAtRandom(t *testing.T) {
	f, _ := fakeFleet(t, 7)
	atRandom(t, f, 12)
}

// atRandom lets members come, leave and die at random, several at once, and drain
// slowly. The referee fails the test when a partition has two owners.
func atRandom(t *testing.T, f *fleet, rounds int) {
	t.Helper()
	rnd := testRand(t)
	slow := func(c *crew) { c.drain = time.Duration(rnd.IntN(100)) * time.Millisecond }
	crews := []*crew{f.start(slow)}
	for range rounds {
		for range 1 + rnd.IntN(2) {
			switch i := rnd.IntN(len(crews)); {
			case len(crews) < 2 || len(crews) < 4 && rnd.IntN(2) == 0:
				crews = append(crews, f.start(slow))
			case rnd.IntN(4) == 0:
				crews[i].kill()
				crews = slices.Delete(crews, i, i+1)
			default:
				crews[i].leave()
				crews = slices.Delete(crews, i, i+1)
			}
		}
		if rnd.IntN(2) == 0 {
			f.await(crews...)
		}
	}
	f.await(crews...)
}

// TestHandoverDoesNotWaitForHeartbeats: a partition that one member has given up waits
// until all others have heard of the rebalance, which they do by a heartbeat.
func TestHandoverDoesNotWaitForHeartbeats(t *testing.T) {
	for _, session := range []time.Duration{time.Second, 6 * time.Second, 45 * time.Second} {
		cfg := Config{SessionTimeout: session}
		cfg.setDefaults()
		if cfg.HeartbeatInterval > 500*time.Millisecond || cfg.HeartbeatInterval > session/3 {
			t.Errorf("a session of %s has heartbeats each %s", session, cfg.HeartbeatInterval)
		}
	}
}

func TestLongDrain(t *testing.T) {
	f, _ := fakeFleet(t, 4)
	f.session = 2 * time.Second
	longDrain(t, f, 4*time.Second)
}

// longDrain: a drain may take longer than the session and than the rebalance
// timeout while other members work.
func longDrain(t *testing.T, f *fleet, drain time.Duration) {
	t.Helper()
	drained := make(chan struct{})
	slow := func(c *crew) { c.hold, c.cfg.RebalanceTimeout = drained, 2*time.Second }
	a := f.start(slow)
	f.await(a)
	id := a.m.ID()
	b := f.start(slow)
	f.cluster.Eventually("partitions are revoked", func() bool { return len(a.revokedSoFar()) == 2 })
	started := time.Now()
	f.cluster.Eventually("all timeouts have passed", func() bool { return time.Since(started) > drain })
	if owned := a.ownedNow(); len(owned) != 4 {
		t.Errorf("owns %v while it drains, want all", owned)
	}
	// Another member joins: draining partitions are not revoked twice.
	c := f.start()
	f.cluster.Eventually("the third member is in", c.m.Joined)
	close(drained)
	f.await(a, b, c)
	if lost := a.lostSoFar(); len(lost) > 0 || a.m.ID() != id {
		t.Errorf("lost the membership: %v", lost)
	}
	revoked := a.revokedSoFar()
	slices.Sort(revoked)
	if len(slices.Compact(slices.Clone(revoked))) != len(revoked) {
		t.Errorf("revoked %v", revoked)
	}
}

func TestDrainingPartitionsAreListedLast(t *testing.T) {
	s := newState()
	s.apply(false, []int32{0, 1, 2, 3})
	s.apply(false, []int32{0, 2, 3})
	s.apply(false, []int32{0, 2, 3, 5})
	want := []int32{0, 2, 3, 5, 1}
	if _, _, got := s.claims(); !slices.Equal(got, want) {
		t.Errorf("claims %v, want %v", got, want)
	}
}

type nobodyCares struct{}

func (nobodyCares) Assigned(int32, []*Assignment) {}
func (nobodyCares) Revoked(int32, []*Assignment)  {}
func (nobodyCares) Lost([]*Assignment, error)     {}

func TestStaticMember(t *testing.T) {
	f, _ := fakeFleet(t, 4)
	a, b := f.start(static("a")), f.start(static("b"))
	f.await(a, b)
	owned, id := a.ownedNow(), a.m.ID()
	before := len(b.revokedSoFar()) // it may have been first, and alone for a moment
	a.leave()                       // says nothing to the coordinator
	again := f.start(static("a"))
	f.await(again, b)
	if !slices.Equal(again.ownedNow(), owned) || again.m.ID() == id {
		t.Errorf("owns %v with id %s, want %v with another id than %s", again.ownedNow(), again.m.ID(), owned, id)
	}
	if revoked := b.revokedSoFar()[before:]; len(revoked) > 0 {
		t.Errorf("the other member had %v revoked", revoked)
	}
}

func TestSecondProcessWithAnInstanceID(t *testing.T) {
	f, _ := fakeFleet(t, 4)
	a := f.start(static("a"))
	f.await(a)
	f.forget(a) // the second one takes over without asking
	b := f.start(static("a"))
	<-a.ended
	testkit.ExpectError(t, a.err, kafkago.FencedInstanceID, `"a"`, "another process")
	if lost := a.lostSoFar(); len(lost) != 1 || !errors.Is(lost[0], kafkago.FencedInstanceID) {
		t.Errorf("lost: %v", lost)
	}
	f.await(b)
}

func TestTopicGrows(t *testing.T) {
	for name, options := range map[string][]func(*crew){"dynamic": nil, "static": {static("a")}} {
		t.Run(name, func(t *testing.T) {
			f, _ := fakeFleet(t, 2)
			soon := func(c *crew) { c.watch = 50 * time.Millisecond }
			a := f.start(append(options, soon)...)
			f.await(a)
			if name == "static" {
				// The next one leads without knowing.
				a.leave()
				a = f.start(append(options, soon)...)
				f.await(a)
				f.cluster.Eventually("it knows the partitions", a.knowsCounts)
			}
			f.grow(5)
			f.await(a)
		})
	}
}

func TestUnseenTopicsStayWhereTheyAre(t *testing.T) {
	members := []assign.Member{
		{ID: "m1", Subscription: assign.Subscription{Topics: []string{"a", "b"}, Owned: []assign.Partition{{Topic: "a", Partition: 1}, {Topic: "b", Partition: 4}}, Generation: 1}},
		{ID: "m2", Subscription: assign.Subscription{Topics: []string{"a", "b"}, Owned: []assign.Partition{{Topic: "a", Partition: 0}, {Topic: "b", Partition: 0}}, Generation: 1}},
	}
	got := withClaims(map[string]int32{"a": 0, "b": 3}, members)
	if want := map[string]int32{"a": 2, "b": 3}; !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestExpulsionOfAnEarlierMembership: an expulsion of an earlier id or generation
// does not concern the member.
func TestExpulsionOfAnEarlierMembership(t *testing.T) {
	tests := []struct {
		said expulsion
		want bool
	}{
		{expulsion{"now", 7, kafkago.UnknownMemberId}, true},
		{expulsion{"now", 6, kafkago.UnknownMemberId}, true}, // ids are not used again
		{expulsion{"now", 7, kafkago.IllegalGeneration}, true},
		{expulsion{"now", 6, kafkago.IllegalGeneration}, false},
		{expulsion{"before", 7, kafkago.UnknownMemberId}, false},
		{expulsion{"before", 7, kafkago.FencedInstanceID}, false},
	}
	for _, test := range tests {
		s := newState()
		s.joinedAs("now", 7)
		s.expel(&test.said)
		if got := s.expelled != nil; got != test.want {
			t.Errorf("%+v: acted upon: %v, want %v", test.said, got, test.want)
		}
	}
}
