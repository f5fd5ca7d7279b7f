package group

import (
	"context"
	"errors"
	"reflect"
	"slices"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/assign"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestGroupFaults: whatever a coordinator answers to one request of a settled
// group, the group settles again, and partitions are lost only where they must
// be.
func TestGroupFaults(t *testing.T) {
	moving := []*kerr.Error{kerr.CoordinatorLoadInProgress, kerr.CoordinatorNotAvailable, kerr.NotCoordinator}
	type fault struct {
		err  *kerr.Error
		lost bool
	}
	tests := map[kmsg.Key][]fault{
		kmsg.JoinGroup:       {{kerr.RebalanceInProgress, false}, {kerr.UnknownMemberID, true}},
		kmsg.SyncGroup:       {{kerr.RebalanceInProgress, false}, {kerr.UnknownMemberID, true}, {kerr.IllegalGeneration, true}},
		kmsg.Heartbeat:       {{kerr.RebalanceInProgress, false}, {kerr.UnknownMemberID, true}, {kerr.IllegalGeneration, true}},
		kmsg.OffsetCommit:    {{kerr.RebalanceInProgress, false}, {kerr.UnknownMemberID, true}, {kerr.IllegalGeneration, false}},
		kmsg.OffsetFetch:     {{kerr.UnstableOffsetCommit, false}},
		kmsg.FindCoordinator: nil,
	}
	for key, faults := range tests {
		for _, err := range moving {
			faults = append(faults, fault{err, false})
		}
		for _, x := range faults {
			t.Run(kmsg.NameForKey(int16(key))+"/"+x.err.Message, func(t *testing.T) {
				f, cluster := fakeFleet(t, 4)
				a, b := f.start(), f.start()
				f.await(a, b)
				owners, since := f.ownership()
				id := a.m.ID()
				handle := cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: x.err, Count: 2, When: func(req kmsg.Request) bool {
					return memberOf(req) == id || memberOf(req) == ""
				}})
				switch key {
				case kmsg.JoinGroup, kmsg.SyncGroup:
					a.m.state.rejoin.Notify()
				case kmsg.FindCoordinator:
					a.m.group.forget(a.m.group.broker.Load())
				case kmsg.OffsetFetch:
					if _, err := a.m.Committed(testkit.Context(t), a.ownedNow()); err != nil {
						t.Errorf("Committed: %v", err)
					}
				}
				f.cluster.Eventually("the fault strikes", func() bool { return handle.Hits() > 0 })
				f.cluster.Eventually("it is noticed", func() bool { return !x.lost || len(a.lostSoFar()) > 0 })
				f.await(a, b)
				if !x.lost {
					f.checkKept(owners, since)
				}
				if lost := a.lostSoFar(); !x.lost && len(lost) > 0 {
					t.Errorf("lost partitions: %v", lost)
				}
			})
		}
	}
}

// TestLostAnswersToJoins: a request to join or to sync whose answer never comes, on a
// connection that stays open, is sent again before the member loses its partitions.
func TestLostAnswersToJoins(t *testing.T) {
	for _, key := range []kmsg.Key{kmsg.JoinGroup, kmsg.SyncGroup} {
		t.Run(key.Name(), func(t *testing.T) {
			f, cluster := fakeFleet(t, 4)
			quick := func(c *crew) { c.repeat = 100 * time.Millisecond }
			a, b := f.start(quick), f.start(quick)
			f.await(a, b)
			owners, since := f.ownership()
			id := a.m.ID()
			swallowed := make(chan struct{})
			cluster.Faults.ControlKey(int16(key), func(req kmsg.Request) (kmsg.Response, error, bool) {
				if memberOf(req) != id {
					return nil, nil, false
				}
				close(swallowed)
				return nil, nil, true
			})
			generation := a.m.Generation()
			a.m.state.rejoin.Notify()
			b.m.state.rejoin.Notify()
			<-swallowed
			f.cluster.Eventually("the member has joined again", func() bool { return a.m.Generation() > generation })
			f.await(a, b)
			f.checkKept(owners, since)
			if lost := a.lostSoFar(); len(lost) > 0 {
				t.Errorf("lost partitions: %v", lost)
			}
		})
	}
}

func memberOf(req kmsg.Request) string {
	switch req := req.(type) {
	case *kmsg.JoinGroupRequest:
		return req.MemberID
	case *kmsg.SyncGroupRequest:
		return req.MemberID
	case *kmsg.HeartbeatRequest:
		return req.MemberID
	case *kmsg.OffsetCommitRequest:
		return req.MemberID
	}
	return ""
}

// TestGroupFirstContact: a fresh cluster has no coordinator for a while.
func TestGroupFirstContact(t *testing.T) {
	f, cluster := fakeFleet(t, 4)
	cluster.Faults.Fault(
		kfake.Fault{Keys: []kmsg.Key{kmsg.FindCoordinator}, Err: kerr.CoordinatorNotAvailable, Count: 3},
		kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, Err: kerr.NotCoordinator, Count: 2},
		kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, Err: kerr.CoordinatorLoadInProgress, Count: 2},
	)
	f.await(f.start())
}

func TestGroupFatal(t *testing.T) {
	tests := map[string]struct {
		key   kmsg.Key
		err   *kerr.Error
		want  error
		parts []string
	}{
		"not authorised": {kmsg.JoinGroup, kerr.GroupAuthorizationFailed, kafka.ErrNotAuthorized, []string{`"in"`, "Read"}},
		"find":           {kmsg.FindCoordinator, kerr.GroupAuthorizationFailed, kafka.ErrNotAuthorized, []string{`"in"`, "Read"}},
		"sync":           {kmsg.SyncGroup, kerr.GroupAuthorizationFailed, kafka.ErrNotAuthorized, []string{`"in"`, "Read"}},
		"assignor":       {kmsg.JoinGroup, kerr.InconsistentGroupProtocol, kafkago.InconsistentGroupProtocol, []string{"CooperativeStickyAssignor"}},
		"session":        {kmsg.JoinGroup, kerr.InvalidSessionTimeout, kafkago.InvalidSessionTimeout, []string{"3s", "group.max.session.timeout.ms"}},
		"full":           {kmsg.JoinGroup, kerr.GroupMaxSizeReached, kafkago.GroupMaxSizeReached, []string{"group.max.size"}},
		"name":           {kmsg.JoinGroup, kerr.InvalidGroupID, kafkago.InvalidGroupId, []string{`"in"`}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			f, cluster := fakeFleet(t, 4)
			cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{test.key}, Err: test.err, Count: -1})
			a := f.start()
			<-a.ended
			testkit.ExpectError(t, a.err, test.want, test.parts...)
		})
	}
}

// TestFatalLosesPartitions: a member that can't go on must not keep its
// partitions to itself.
func TestFatalLosesPartitions(t *testing.T) {
	f, cluster := fakeFleet(t, 2)
	a := f.start()
	f.await(a)
	cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, Err: kerr.GroupAuthorizationFailed, Count: -1})
	a.m.state.rejoin.Notify()
	<-a.ended
	if lost := a.lostSoFar(); len(lost) != 1 || !errors.Is(lost[0], kafka.ErrNotAuthorized) {
		t.Errorf("lost: %v", lost)
	}
	expectNotOwned(t, a.m.Commit(testkit.Context(t), []CommitOffset{{Assignment: a.holding(0), Offset: 1}}), 0)
}

// TestCoordinatorMoves: the membership outlives any move of the coordinator.
func TestCoordinatorMoves(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.NumBrokers(3), kfake.GroupMinSessionTimeout(time.Second))
	f := newFleet(t, &cluster.Cluster, "in", 6)
	a, b := f.start(), f.start()
	f.await(a, b)
	owners, since := f.ownership()
	for range 5 {
		before := cluster.Faults.CoordinatorFor("in")
		for cluster.Faults.CoordinatorFor("in") == before {
			cluster.Faults.RehashCoordinators()
		}
		settled := f.progress()
		f.cluster.Eventually("commits go on", func() bool {
			return !slices.ContainsFunc(f.progressSince(settled), func(n int64) bool { return n < 3 })
		})
	}
	f.await(a, b)
	f.checkKept(owners, since)
}

// TestExpelledWhileJoinHangs: a join that waits for a broker that coordinates no
// more is given up when the new coordinator does not know the member.
func TestExpelledWhileJoinHangs(t *testing.T) {
	f, cluster := fakeFleet(t, 2)
	a := f.start(func(c *crew) { c.cfg.RebalanceTimeout = time.Hour })
	f.await(a)
	hangs, _ := hold(t, cluster, kmsg.JoinGroup, anyRequest)
	a.m.state.rejoin.Notify()
	<-hangs
	cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.UnknownMemberID})
	f.cluster.Eventually("the loss is noticed", func() bool { return len(a.lostSoFar()) > 0 })
	f.await(a)
}

// TestLostJoinAnswer: when the answer to a join gets lost the coordinator is one
// generation ahead, and says so to heartbeats. That is no reason to give anything
// up.
func TestLostJoinAnswer(t *testing.T) {
	f, cluster := fakeFleet(t, 2)
	a := f.start()
	f.await(a)
	owners, since := f.ownership()
	join := cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, Err: kerr.CoordinatorLoadInProgress, Count: -1})
	a.m.state.rejoin.Notify()
	f.cluster.Eventually("a join fails", func() bool { return join.Hits() > 0 })
	beat := cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.IllegalGeneration, Count: 3})
	f.cluster.Eventually("heartbeats are refused", func() bool { return beat.Hits() == 3 })
	generation := a.m.Generation()
	join.Remove()
	f.cluster.Eventually("it has joined", func() bool { return a.m.Generation() > generation })
	f.await(a)
	f.checkKept(owners, since)
	if lost := a.lostSoFar(); len(lost) > 0 {
		t.Errorf("lost partitions: %v", lost)
	}
}

// TestLeaveDuringJoin: a member that leaves does not wait for a rebalance, and
// does not come back.
func TestLeaveDuringJoin(t *testing.T) {
	f, cluster := fakeFleet(t, 2)
	a := f.start()
	f.await(a)
	hangs, _ := hold(t, cluster, kmsg.JoinGroup, anyRequest)
	a.m.state.rejoin.Notify()
	<-hangs
	a.leave()
	b := f.start()
	f.await(b)
	if a.m.Joined() || len(a.ownedNow()) > 0 && f.balanced(a) {
		t.Error("joined again after it had left")
	}
}

// slowHandler does not return from Assigned before it may.
type slowHandler struct {
	nobodyCares
	called, mayReturn chan struct{}
}

func (h *slowHandler) Assigned(int32, []*Assignment) {
	close(h.called)
	<-h.mayReturn
}

// TestLeaveWaitsForRun: a member says that it leaves only when nothing can make
// it join again. Its heartbeats go on until then.
func TestLeaveWaitsForRun(t *testing.T) {
	f, cluster := fakeFleet(t, 2)
	handler := &slowHandler{called: make(chan struct{}), mayReturn: make(chan struct{})}
	m := New(clientOf(t, f.cluster.Addrs()...), Config{
		GroupID: "in", Topic: "in", SessionTimeout: f.session, HeartbeatInterval: 10 * time.Millisecond, Handler: handler,
	})
	observe := func(key kmsg.Key) *kfake.FaultHandle {
		return cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Observe: true, Count: -1})
	}
	beats, leaves := observe(kmsg.Heartbeat), observe(kmsg.LeaveGroup)
	ran := make(chan error, 1)
	go func() { ran <- m.Run(context.Background()) }()
	<-handler.called
	f.cluster.Eventually("heartbeats don't wait for the handler", func() bool { return beats.Hits() >= 3 })
	left := make(chan error, 1)
	go func() { left <- m.Leave(testkit.Context(t)) }()
	<-m.stopped.Done()
	select {
	case err := <-left:
		t.Errorf("Leave returned %v before Run", err)
	case <-time.After(100 * time.Millisecond): // nothing must happen
	}
	if n := leaves.Hits(); n > 0 {
		t.Errorf("left the group %d times before Run had ended", n)
	}
	close(handler.mayReturn)
	if err := <-ran; err != nil {
		t.Errorf("Run: %v", err)
	}
	if err := <-left; err != nil || leaves.Hits() != 1 {
		t.Errorf("Leave: %v, after %d requests", err, leaves.Hits())
	}
}

// TestJoinTellsWhatIsOwned: and in which generation, so that a leader can tell a
// claim that is out of date.
func TestJoinTellsWhatIsOwned(t *testing.T) {
	f, cluster := fakeFleet(t, 3)
	a := f.start()
	f.await(a)
	generation := a.m.Generation()
	told := make(chan []byte, 1)
	cluster.Faults.ControlKey(int16(kmsg.JoinGroup), func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.Faults.DropControl()
		told <- req.(*kmsg.JoinGroupRequest).Protocols[0].Metadata
		return nil, nil, false
	})
	a.m.state.rejoin.Notify()
	got, err := assign.DecodeSubscription(<-told)
	want := assign.Subscription{Topics: []string{"in"}, Owned: []assign.Partition{{Topic: "in", Partition: 0}, {Topic: "in", Partition: 1}, {Topic: "in", Partition: 2}}, Generation: generation}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
}

func TestLeaveRetries(t *testing.T) {
	f, cluster := fakeFleet(t, 2)
	a := f.start()
	f.await(a)
	handle := cluster.Faults.Fault(
		kfake.Fault{Keys: []kmsg.Key{kmsg.LeaveGroup}, TopLevel: true, Err: kerr.NotCoordinator},
		kfake.Fault{Keys: []kmsg.Key{kmsg.LeaveGroup}, TopLevel: true, Err: kerr.CoordinatorLoadInProgress},
	)
	a.leave()
	if handle.Hits() != 2 {
		t.Errorf("met %d faults, want 2", handle.Hits())
	}
	if info := cluster.Faults.GroupInfo("in"); info != nil && len(info.Members) > 0 {
		t.Errorf("still in the group: %+v", info.Members)
	}
}

func TestLeaveBeforeRun(t *testing.T) {
	f, _ := fakeFleet(t, 2)
	m := New(f.start().client, Config{GroupID: "other", Topic: "in", Handler: nobodyCares{}})
	if err := m.Leave(testkit.Context(t)); err != nil {
		t.Errorf("Leave: %v", err)
	}
	if err := m.Run(context.Background()); err != nil || m.ID() != "" {
		t.Errorf("Run after Leave: %v, id %q; want nothing to happen", err, m.ID())
	}
}

// TestReleaseDuringJoin: a member that gives up partitions while it joins with
// them joins once more, or nobody would ever get them.
func TestReleaseDuringJoin(t *testing.T) {
	f, cluster := fakeFleet(t, 4)
	drained := make(chan struct{})
	a := f.start(func(c *crew) { c.hold, c.idle = drained, true })
	f.await(a)
	b := f.start()
	f.cluster.Eventually("partitions are revoked", func() bool { return len(a.revokedSoFar()) == 2 })
	id := a.m.ID()
	held := cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, Observe: true, Count: -1, When: func(req kmsg.Request) bool {
		return memberOf(req) == id
	}})
	joins, letGo := hold(t, cluster, kmsg.SyncGroup, func(req kmsg.Request) bool { return memberOf(req) == id })
	a.m.state.rejoin.Notify()
	<-joins // the leader was told of the partitions
	close(drained)
	f.cluster.Eventually("they are given up", func() bool { return len(a.ownedNow()) == 2 })
	letGo()
	f.await(a, b)
	if held.Hits() < 2 {
		t.Errorf("joined %d times, want 2 at least", held.Hits())
	}
}

// progress returns the offsets that are committed.
func (f *fleet) progress() []int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	all := make([]int64, f.partitions)
	for p := range all {
		all[p] = f.settled[int32(p)]
	}
	return all
}

func (f *fleet) progressSince(before []int64) []int64 {
	now := f.progress()
	for p := range now {
		now[p] -= before[p]
	}
	return now
}
