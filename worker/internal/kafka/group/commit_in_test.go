package group

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/internal/kafka/txn"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// session opens a transactional session by the crew's client.
func (c *crew) session() *txn.Session {
	c.f.t.Helper()
	s, err := txn.Open(testkit.Context(c.f.t), c.client, txn.Config{
		TransactionalID: c.f.group + "-" + c.name, Timeout: 20 * time.Second, Former: txn.NoProducer,
	})
	if err != nil {
		c.f.t.Fatal(err)
	}
	return s
}

// committedSoon waits until the partition's committed offset is stable, and returns it.
func (c *crew) committedSoon(partition int32) (got Committed) {
	c.f.t.Helper()
	testkit.Await(c.f.t, "the committed offset is stable", func() bool {
		all, err := c.m.Committed(testkit.Context(c.f.t), []int32{partition})
		if err != nil {
			c.f.t.Fatal(err)
		}
		got = all[partition]
		return !errors.Is(got.Err, ErrUnstable)
	})
	return got
}

func TestCommitInRoundTrip(t *testing.T) {
	broker := kafkatest.Shared(t) // kfake takes any metadata in a transaction, and knows no stable partition beside another
	f := newFleet(t, &broker.Cluster, testkit.UniqueName("commit-in-round-trip"), 3)
	c := joined(f)
	ctx := testkit.Context(t)
	s := c.session()
	if err := c.m.Commit(ctx, []CommitOffset{{c.holding(0), 1, "first", -1}, {c.holding(1), 1, "first", -1}}); err != nil {
		t.Fatal(err)
	}
	// Too much metadata fails its own partition only, and may be less at the next try.
	long := strings.Repeat("x", 4096)
	err := c.m.CommitIn(ctx, s, []CommitOffset{{c.holding(0), 42, long + "x", -1}, {c.holding(1), 7, "y", -1}, {c.holding(9), 7, "y", -1}})
	testkit.ExpectError(t, err, ErrMetadataTooLarge, "partition 0", "4097 bytes", f.group, f.topic)
	testkit.ExpectError(t, err, ErrNotOwned, "partition 9")
	if failed := new(CommitError); !errors.As(err, &failed) || len(failed.Failed) != 2 {
		t.Errorf("failed: %v, want partitions 0 and 9 only", err)
	}
	if err := c.m.CommitIn(ctx, s, []CommitOffset{{c.holding(0), 42, long, -1}}); err != nil {
		t.Fatal(err)
	}
	got, err := c.m.Committed(ctx, []int32{0, 1, 2})
	if err != nil || !errors.Is(got[0].Err, ErrUnstable) || !errors.Is(got[1].Err, ErrUnstable) || got[2].Err != nil {
		t.Errorf("while the transaction is open: %v, %v", got, err)
	}
	if err := s.End(ctx, true); err != nil {
		t.Fatal(err)
	}
	if got := c.committedSoon(0); got.Offset != 42 || got.Metadata != long {
		t.Errorf("after the commit: %v", got)
	}
	if err := c.m.CommitIn(ctx, s, []CommitOffset{{c.holding(1), 8, "z", -1}}); err != nil {
		t.Fatal(err)
	}
	if err := s.End(ctx, false); err != nil {
		t.Fatal(err)
	}
	if got := c.committedSoon(1); got.Offset != 7 || got.Metadata != "y" {
		t.Errorf("after the abort: %v", got)
	}
}

// TestCommitInDuringRebalance: a commit that meets a rebalance goes through under the next
// generation, in the same transaction.
func TestCommitInDuringRebalance(t *testing.T) {
	f, cluster := fakeFleet(t, 2)
	c := joined(f)
	s := c.session()
	generation := c.m.Generation()
	handle := cluster.Faults.Fault(
		kfake.Fault{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.RebalanceInProgress, Count: 1},
		kfake.Fault{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.IllegalGeneration, Count: -1, When: func(req kmsg.Request) bool {
			return req.(*kmsg.TxnOffsetCommitRequest).Generation == generation
		}},
	)
	committed := make(chan error, 1)
	go func() {
		committed <- c.m.CommitIn(testkit.Context(t), s, []CommitOffset{{Assignment: c.holding(1), Offset: 5}})
	}()
	f.cluster.Eventually("the commit is refused", func() bool { return handle.Hits() >= 2 })
	c.m.state.rejoin.Notify()
	if err := <-committed; err != nil {
		t.Errorf("CommitIn: %v", err)
	}
	if err := s.End(testkit.Context(t), true); err != nil {
		t.Error(err)
	}
	if got := c.committedSoon(1); got.Offset != 5 {
		t.Errorf("committed %v", got)
	}
}

// TestCommitInOfAnOlderGeneration: the coordinator refuses the offsets of a member that has
// missed a rebalance.
func TestCommitInOfAnOlderGeneration(t *testing.T) {
	broker := kafkatest.Shared(t)
	f := newFleet(t, &broker.Cluster, testkit.UniqueName("commit-in-older"), 2)
	c := joined(f)
	s := c.session()
	older := txn.Offsets{
		Group: f.group, MemberID: c.m.ID(), Generation: c.m.Generation(), Topic: f.topic,
		Partitions: []txn.Offset{{Partition: 0, Offset: 5, LeaderEpoch: -1}},
	}
	c.m.state.rejoin.Notify()
	testkit.Await(t, "the next generation", func() bool { return c.m.Generation() > older.Generation })
	f.await(c)
	err := s.CommitOffsets(testkit.Context(t), older)
	testkit.ExpectError(t, err, kafkago.IllegalGeneration, "partition 0", s.ID())
	if refused := new(txn.PartitionsError); !errors.As(err, &refused) {
		t.Errorf("got %v, want a *PartitionsError", err)
	}
	if err := c.m.CommitIn(testkit.Context(t), s, []CommitOffset{{Assignment: c.holding(0), Offset: 6, LeaderEpoch: -1}}); err != nil {
		t.Error(err)
	}
	if err := s.End(testkit.Context(t), true); err != nil {
		t.Error(err)
	}
	if got := c.committedSoon(0); got.Offset != 6 {
		t.Errorf("committed %v", got)
	}
}

// TestCommitInByAStranger: a member that is not in the group any more can't commit in a
// transaction, and learns that everything is lost.
func TestCommitInByAStranger(t *testing.T) {
	broker := kafkatest.Shared(t)
	f := newFleet(t, &broker.Cluster, testkit.UniqueName("commit-in-stranger"), 2)
	c := f.start(func(c *crew) { c.idle, c.cfg.HeartbeatInterval = true, time.Minute })
	f.await(c)
	s := c.session()
	a := c.holding(0)
	if err := c.m.group.remove(testkit.Context(t), c.m.ID()); err != nil {
		t.Fatal(err)
	}
	expectNotOwned(t, c.m.CommitIn(testkit.Context(t), s, []CommitOffset{{Assignment: a, Offset: 5}}), 0)
	f.cluster.Eventually("Lost is called", func() bool { return len(c.lostSoFar()) == 1 })
	// Nothing of the transaction is left.
	if err := s.End(testkit.Context(t), false); err != nil {
		t.Error(err)
	}
	if got := c.committedSoon(0); got.Offset != -1 {
		t.Errorf("committed %v", got)
	}
}

// TestCommitInEndsWithTheSession: what the session calls final is not tried again.
func TestCommitInEndsWithTheSession(t *testing.T) {
	for code, want := range map[*kerr.Error]error{
		kerr.ProducerFenced:           txn.ErrFenced,
		kerr.InvalidProducerEpoch:     txn.ErrAborted,
		kerr.InvalidTxnState:          txn.ErrAborted,
		kerr.TransactionAbortable:     txn.ErrAborted,
		kerr.UnknownServerError:       txn.ErrUnknown,
		kerr.GroupIDNotFound:          txn.ErrUnknown, // a code that nothing is known about
		kerr.TopicAuthorizationFailed: kafkago.TopicAuthorizationFailed,
	} {
		t.Run(code.Message, func(t *testing.T) {
			f, cluster := fakeFleet(t, 1)
			c := joined(f)
			s := c.session()
			handle := cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: code, Count: -1})
			testkit.ExpectError(t, c.m.CommitIn(testkit.Context(t), s, []CommitOffset{{Assignment: c.holding(0), Offset: 5}}), want, "partition 0")
			if n := handle.Hits(); n != 1 {
				t.Errorf("sent %d times", n)
			}
		})
	}
}

// TestCommitInGivesUp: a coordinator that moves is waited for until the context ends.
func TestCommitInGivesUp(t *testing.T) {
	f, cluster := fakeFleet(t, 1)
	c := joined(f)
	s := c.session()
	handle := cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: kerr.NotCoordinator, Count: -1})
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	testkit.ExpectError(t, c.m.CommitIn(ctx, s, []CommitOffset{{Assignment: c.holding(0), Offset: 5}}), context.DeadlineExceeded, "partition 0")
	if n := handle.Hits(); n < 3 {
		t.Errorf("sent %d times", n)
	}
	handle.Remove()
	if err := c.m.CommitIn(testkit.Context(t), s, []CommitOffset{{Assignment: c.holding(0), Offset: 5}}); err != nil {
		t.Error(err)
	}
}
