package group

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/assign"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// withdraw makes a member withdraw, give up all partitions and leave.
func (c *crew) withdraw() {
	c.f.t.Helper()
	if !c.m.Withdraw() {
		c.f.t.Error("a member of the group can't withdraw")
	}
	c.f.cluster.Eventually("the partitions of the member that withdraws are revoked", func() bool { return len(c.ownedNow()) == 0 })
	c.leave()
}

func TestWithdraw(t *testing.T) {
	t.Run("fake", func(t *testing.T) {
		f, _ := fakeFleet(t, 6)
		withdraw(t, f)
	})
	t.Run("Apache", func(t *testing.T) {
		withdraw(t, newFleet(t, &kafkatest.Shared(t).Cluster, testkit.UniqueName("withdraw"), 6))
	})
}

// withdraw: a member that withdraws keeps its partitions until the others have joined
// again. What stays is not touched, and a member alone is released at once.
func withdraw(t *testing.T, f *fleet) {
	a := f.start()
	f.await(a)
	b := f.start()
	f.await(a, b)
	c := f.start()
	f.await(a, b, c)
	owners, since := f.ownership()
	drained := make(chan struct{})
	b.setHold(drained)
	had := b.ownedNow()
	before := len(b.revokedSoFar())
	generation := a.m.Generation()
	b.m.Withdraw()
	f.cluster.Eventually("all is revoked", func() bool { return len(b.revokedSoFar()) == before+len(had) })
	if g := a.m.Generation(); g <= generation {
		t.Errorf("partitions are revoked in generation %d, and another member is still in %d", b.m.Generation(), g)
	}
	if got := b.ownedNow(); !slices.Equal(got, had) {
		t.Errorf("owns %v while it drains, want %v", got, had)
	}
	close(drained)
	f.cluster.Eventually("all is given up", func() bool { return len(b.ownedNow()) == 0 })
	b.leave()
	f.await(a, c)
	if kept := f.checkKept(owners, since); kept != 4 {
		t.Errorf("%d partitions stayed, want 4", kept)
	}
	c.withdraw()
	f.await(a)
	a.withdraw()
	for _, c := range []*crew{a, b, c} {
		if lost := c.lostSoFar(); len(lost) > 0 {
			t.Errorf("%s lost partitions: %v", c.name, lost)
		}
	}
}

// TestWithdrawFromALeaderThatKeepsOn: a member that withdraws gives up its partitions, though
// the leader goes on to assign them to it.
func TestWithdrawFromALeaderThatKeepsOn(t *testing.T) {
	f, cluster := fakeFleet(t, 4)
	a := f.start()
	f.await(a)
	b := f.start()
	f.await(a, b)
	had := b.ownedNow()
	id := b.m.ID()
	var stubborn atomic.Int32
	cluster.Faults.ControlKey(int16(kmsg.SyncGroup), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.Faults.KeepControl()
		given := req.(*kmsg.SyncGroupRequest).GroupAssignment
		for i := range given {
			if given[i].MemberID == id {
				stubborn.Add(1)
				given[i].MemberAssignment = assign.Assignment{f.topic: had}.Encode()
			}
		}
		return nil, nil, false
	})
	b.withdraw()
	f.await(a)
	if stubborn.Load() == 0 {
		t.Error("the leader assigned nothing to the member that withdraws: the test shows nothing")
	}
	if lost := b.lostSoFar(); len(lost) > 0 {
		t.Errorf("lost partitions: %v", lost)
	}
}

// TestWithdrawOutsideTheGroup: there is nothing to wait for.
func TestWithdrawOutsideTheGroup(t *testing.T) {
	f, _ := fakeFleet(t, 2)
	static := f.start(func(c *crew) { c.cfg.InstanceID = "static" })
	f.await(static)
	if static.m.Withdraw() {
		t.Error("a static member withdraws, though it is expected back")
	}
	if New(static.client, Config{GroupID: "another", Topic: "in"}).Withdraw() {
		t.Error("a member that never joined withdraws")
	}
}

// TestHeartbeatsAreHurriedAfterARebalance: a partition that one member gives up waits until
// the others have heard of it.
func TestHeartbeatsAreHurriedAfterARebalance(t *testing.T) {
	f, cluster := fakeFleet(t, 2)
	var beats atomic.Int32
	cluster.Faults.ControlKey(int16(kmsg.Heartbeat), func(kmsg.Request) (kmsg.Response, error, bool) {
		cluster.Faults.KeepControl()
		beats.Add(1)
		return nil, nil, false
	})
	f.session = 30 * time.Second
	interval := 5 * time.Second
	a := f.start(func(c *crew) { c.cfg.HeartbeatInterval = interval })
	f.await(a)
	began := time.Now()
	f.cluster.Eventually("heartbeats came", func() bool { return beats.Load() >= 3 })
	if took := time.Since(began); took > 2*interval {
		t.Errorf("3 heartbeats after a rebalance took %s, with an interval of %s otherwise", took, interval)
	}
}

// TestHeartbeatsCalmDown: the first ones after a rebalance come fastest, since a move takes
// two rebalances within a second mostly.
func TestHeartbeatsCalmDown(t *testing.T) {
	h := &heartbeater{cfg: Config{HeartbeatInterval: time.Second}}
	for left, want := range map[int]time.Duration{
		hurryBeats: 100 * time.Millisecond, hurryBeats - beatsMost: 200 * time.Millisecond, 1: 200 * time.Millisecond, 0: time.Second,
	} {
		if got := h.interval(left); got != want {
			t.Errorf("with %d hurried heartbeats to come, the next one comes after %v, want %v", left, got, want)
		}
	}
}
