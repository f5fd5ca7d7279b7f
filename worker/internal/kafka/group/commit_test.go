package group

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// expectNotOwned checks that exactly these partitions were refused.
func expectNotOwned(t *testing.T, err error, partitions ...int32) {
	t.Helper()
	testkit.ExpectError(t, err, ErrNotOwned)
	var refused *CommitError
	if !errors.As(err, &refused) {
		t.Fatalf("got %v, want a *CommitError", err)
	}
	var got []int32
	for _, x := range refused.Failed {
		if !errors.Is(x.Err, ErrNotOwned) {
			t.Errorf("partition %d: got %v, want ErrNotOwned", x.Assignment.Partition, x.Err)
		}
		got = append(got, x.Assignment.Partition)
	}
	if slices.Sort(got); !slices.Equal(got, partitions) {
		t.Errorf("refused partitions %v, want %v", got, partitions)
	}
}

// joined starts one member whose commits are the test's.
func joined(f *fleet) *crew {
	f.t.Helper()
	c := f.start(func(c *crew) { c.idle = true })
	f.await(c)
	return c
}

func commitRoundTrip(t *testing.T, f *fleet) {
	t.Helper()
	c := joined(f)
	ctx := testkit.Context(t)
	long := strings.Repeat("x", 4096)
	none := Committed{Offset: -1, LeaderEpoch: -1}
	got, err := c.m.Committed(ctx, []int32{0, 1})
	if err != nil || got[0] != none || got[1] != none {
		t.Fatalf("before any commit: %v, %v", got, err)
	}
	if err := c.m.Commit(ctx, []CommitOffset{{c.holding(0), 42, long, -1}, {c.holding(1), 0, "", -1}}); err != nil {
		t.Fatalf("Commit: %v", err)
	}
	got, err = c.m.Committed(ctx, []int32{0, 1, 2})
	want := map[int32]Committed{0: {Offset: 42, LeaderEpoch: -1, Metadata: long}, 1: {LeaderEpoch: -1}, 2: none}
	if err != nil || len(got) != 3 || got[0] != want[0] || got[1] != want[1] || got[2] != want[2] {
		t.Errorf("committed %v, %v", got, err)
	}

	// Too much metadata fails its own partition only.
	err = c.m.Commit(ctx, []CommitOffset{{c.holding(0), 43, long + "x", -1}, {c.holding(1), 7, "y", -1}})
	testkit.ExpectError(t, err, kafkago.OffsetMetadataTooLarge, "partition 0", "offset 43", "4097 bytes", "offset.metadata.max.bytes", f.group, f.topic)
	var refused *CommitError
	if !errors.As(err, &refused) || len(refused.Failed) != 1 {
		t.Errorf("failed: %v, want partition 0 only", err)
	}
	got, err = c.m.Committed(ctx, []int32{0, 1})
	if err != nil || got[0] != want[0] || got[1] != (Committed{Offset: 7, LeaderEpoch: -1, Metadata: "y"}) {
		t.Errorf("committed %v, %v", got, err)
	}
	if err := c.m.Commit(ctx, nil); err != nil {
		t.Errorf("Commit of nothing: %v", err)
	}
}

func TestCommitRoundTripApache(t *testing.T) {
	broker := kafkatest.Shared(t)
	commitRoundTrip(t, newFleet(t, &broker.Cluster, testkit.UniqueName("commit-round-trip"), 3))
}

func TestCommitRefusesWhatIsNotOwned(t *testing.T) {
	f, _ := fakeFleet(t, 3)
	c := joined(f)
	ctx := testkit.Context(t)
	offsets := []CommitOffset{{Assignment: c.holding(0), Offset: 5}, {Assignment: c.holding(1), Offset: 6}, {Assignment: c.holding(9), Offset: 7}}
	expectNotOwned(t, c.m.Commit(ctx, offsets), 9)
	got, err := c.m.Committed(ctx, []int32{0, 1})
	if err != nil || got[0].Offset != 5 || got[1].Offset != 6 {
		t.Errorf("committed %v, %v; want the owned partitions committed", got, err)
	}
	if err := c.m.Leave(ctx); err != nil {
		t.Fatal(err)
	}
	expectNotOwned(t, c.m.Commit(ctx, offsets), 0, 1, 9)
}

func TestCommitRefusesWhatIsReleased(t *testing.T) {
	f, cluster := fakeFleet(t, 3)
	c := joined(f)
	// It would be given back by the rejoin.
	cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, Err: kerr.CoordinatorNotAvailable, Count: -1})
	c.m.Release([]*Assignment{c.holding(1)})
	expectNotOwned(t, c.m.Commit(testkit.Context(t), []CommitOffset{{Assignment: c.holding(0), Offset: 5}, {Assignment: c.holding(1), Offset: 6}}), 1)
}

// TestCommitFenceRelease: Release waits for a commit under way.
func TestCommitFenceRelease(t *testing.T) {
	f, cluster := fakeFleet(t, 2)
	c := joined(f)
	arrived, answer := hold(t, cluster, kmsg.OffsetCommit, anyRequest)
	committed := make(chan error, 1)
	go func() {
		committed <- c.m.Commit(context.Background(), []CommitOffset{{Assignment: c.holding(0), Offset: 5}})
	}()
	<-arrived
	released := make(chan struct{})
	go func() {
		defer close(released)
		f.forget(c)
		c.m.Release([]*Assignment{c.holding(0)})
	}()
	f.cluster.Eventually("Release waits for the fence", func() bool {
		free := c.m.state.fence.TryRLock() // fails as soon as a writer waits
		if free {
			c.m.state.fence.RUnlock()
		}
		return !free
	})
	select {
	case <-released:
		t.Fatal("Release returned while a commit was under way")
	default:
	}
	answer()
	if err := <-committed; err != nil {
		t.Errorf("Commit: %v", err)
	}
	<-released
}

// TestCommitFenceLost: a coordinator that hangs with a commit does not hold up
// the news that everything is lost, and a commit that is tried again is not sent
// after it.
func TestCommitFenceLost(t *testing.T) {
	f, cluster := fakeFleet(t, 2)
	c := joined(f)
	arrived, _ := hold(t, cluster, kmsg.OffsetCommit, anyRequest)
	committed := make(chan error, 1)
	go func() {
		committed <- c.m.Commit(context.Background(), []CommitOffset{{Assignment: c.holding(0), Offset: 5}})
	}()
	<-arrived
	// The member can't join again before the commit is refused.
	join := cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, Err: kerr.CoordinatorNotAvailable, Count: -1})
	start := time.Now()
	cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.UnknownMemberID})
	expectNotOwned(t, <-committed, 0)
	if len(c.lostSoFar()) == 0 {
		f.cluster.Eventually("Lost is called", func() bool { return len(c.lostSoFar()) == 1 })
	}
	if took := time.Since(start); took > 5*time.Second {
		t.Errorf("took %v", took)
	}
	join.Remove()
	f.await(c)
}

// TestCommitDuringRebalance: a commit that meets a rebalance goes through under
// the next generation.
func TestCommitDuringRebalance(t *testing.T) {
	f, cluster := fakeFleet(t, 2)
	c := joined(f)
	generation := c.m.Generation()
	handle := cluster.Faults.Fault(
		kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.RebalanceInProgress, Count: 1},
		kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.IllegalGeneration, Count: -1, When: func(req kmsg.Request) bool {
			return req.(*kmsg.OffsetCommitRequest).Generation == generation
		}},
	)
	committed := make(chan error, 1)
	go func() {
		committed <- c.m.Commit(testkit.Context(t), []CommitOffset{{Assignment: c.holding(1), Offset: 5}})
	}()
	f.cluster.Eventually("the commit is refused", func() bool { return handle.Hits() >= 2 })
	c.m.state.rejoin.Notify()
	if err := <-committed; err != nil {
		t.Errorf("Commit: %v", err)
	}
	if c.m.Generation() == generation {
		t.Errorf("the generation is still %d", generation)
	}
}

// TestCommitGivesUp: the error says what the coordinator said last.
func TestCommitGivesUp(t *testing.T) {
	f, cluster := fakeFleet(t, 2)
	c := joined(f)
	cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Partitions: []int32{1}, Err: kerr.CoordinatorLoadInProgress, Count: -1})
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	err := c.m.Commit(ctx, []CommitOffset{{Assignment: c.holding(0), Offset: 3}, {Assignment: c.holding(1), Offset: 4}})
	testkit.ExpectError(t, err, kafkago.GroupLoadInProgress, "partition 1", "offset 4")
	testkit.ExpectError(t, err, context.DeadlineExceeded)
	if strings.Contains(err.Error(), "partition 0") {
		t.Errorf("error %q names a partition that was committed", err)
	}
}

func TestCommitNotAuthorized(t *testing.T) {
	f, cluster := fakeFleet(t, 2)
	c := joined(f)
	cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetCommit}, Err: kerr.TopicAuthorizationFailed, Count: -1})
	err := c.m.Commit(testkit.Context(t), []CommitOffset{{Assignment: c.holding(0), Offset: 3}})
	testkit.ExpectError(t, err, kafka.ErrNotAuthorized, `"in"`, "Read")
	cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetFetch}, TopLevel: true, Err: kerr.GroupAuthorizationFailed, Count: -1})
	_, err = c.m.Committed(testkit.Context(t), []int32{0})
	testkit.ExpectError(t, err, kafka.ErrNotAuthorized, `"in"`, "Read")
}
