package group

import (
	"slices"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

func TestMembersComeAndGoApache(t *testing.T) {
	broker := kafkatest.Shared(t)
	flow(t, newFleet(t, &broker.Cluster, testkit.UniqueName("members-come-and-go"), 6))
}

func TestMembersAtRandomApache(t *testing.T) {
	broker := kafkatest.Shared(t)
	atRandom(t, newFleet(t, &broker.Cluster, testkit.UniqueName("members-at-random"), 7), 8)
}

func TestStaticMemberApache(t *testing.T) {
	broker := kafkatest.Shared(t)
	f := newFleet(t, &broker.Cluster, testkit.UniqueName("static-member"), 4)
	a, b := f.start(static("a")), f.start(static("b"))
	f.await(a, b)
	moved := len(b.revokedSoFar()) // some, where b was alone in the group at first
	for range 2 {
		owned, generation, id := a.ownedNow(), a.m.Generation(), a.m.ID()
		a.leave() // says nothing to the coordinator
		a = f.start(static("a"))
		f.await(a, b)
		if !slices.Equal(a.ownedNow(), owned) || a.m.Generation() != generation || a.m.ID() == id {
			t.Errorf("owns %v in generation %d with id %s, want %v in generation %d with another id than %s",
				a.ownedNow(), a.m.Generation(), a.m.ID(), owned, generation, id)
		}
	}
	// Whoever leads, and however little it knows of that, new partitions are found.
	f.cluster.Eventually("the partitions are known", func() bool { return a.knowsCounts() && b.knowsCounts() })
	f.grow(6)
	f.await(a, b)
	if revoked := append(a.revokedSoFar(), b.revokedSoFar()[moved:]...); len(revoked) > 0 {
		t.Errorf("%v were revoked", revoked)
	}
}

func TestLongDrainApache(t *testing.T) {
	broker := kafkatest.Shared(t)
	longDrain(t, newFleet(t, &broker.Cluster, testkit.UniqueName("long-drain"), 4), 8*time.Second)
}

// TestCoordinatorRestarts: the members of a group outlive a restart and a crash
// of the only broker with what they own.
func TestCoordinatorRestarts(t *testing.T) {
	broker := kafkatest.Apache(t)
	f := newFleet(t, &broker.Cluster, testkit.UniqueName("coordinator-restarts"), 6)
	f.session = 30 * time.Second
	f.patience = time.Minute
	a, b := f.start(), f.start() // the first contact of a fresh broker with a group
	f.await(a, b)
	owners, since := f.ownership()
	for _, end := range []func(){broker.Stop, broker.Kill} {
		end()
		broker.Start()
		settled := f.progress()
		f.cluster.Eventually("commits go on", func() bool {
			return !slices.ContainsFunc(f.progressSince(settled), func(n int64) bool { return n < 3 })
		})
	}
	f.await(a, b)
	if kept := f.checkKept(owners, since); kept != 6 {
		t.Errorf("%d partitions stayed, want all 6", kept)
	}
	for _, c := range []*crew{a, b} {
		if lost := c.lostSoFar(); len(lost) > 0 {
			t.Errorf("lost partitions: %v", lost)
		}
	}
}
