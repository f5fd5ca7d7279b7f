package group

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestCommitEndsWithTheOwnership: a commit that waits for its retry belongs to one
// assignment. If the member has lost the partition and got it back since, another
// member may have committed a later offset.
func TestCommitEndsWithTheOwnership(t *testing.T) {
	f, cluster := fakeFleet(t, 2)
	c := joined(f)
	arrived, _ := hold(t, cluster, kmsg.OffsetCommit, anyRequest)
	committed := make(chan error, 1)
	go func() {
		committed <- c.m.Commit(context.Background(), []CommitOffset{{Assignment: c.holding(0), Offset: 5}})
	}()
	<-arrived
	// The member keeps its id, so that it is back before the next attempt.
	cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.IllegalGeneration})
	f.cluster.Eventually("everything is lost", func() bool { return len(c.lostSoFar()) == 1 })
	f.await(c)
	expectNotOwned(t, <-committed, 0)
	got, err := c.m.Committed(testkit.Context(t), []int32{0})
	if err != nil || got[0].Offset != -1 {
		t.Errorf("committed %v, %v; want nothing", got, err)
	}
}

// An assignment that was lost does nothing to the one after it: it commits
// nothing, and it does not give the partition away.
func earlierAssignmentIsOver(t *testing.T, f *fleet, loseAll func(c *crew)) {
	t.Helper()
	c := joined(f)
	before := c.holding(0)
	if err := c.m.Commit(testkit.Context(t), []CommitOffset{{Assignment: before, Offset: 3}}); err != nil {
		t.Fatal(err)
	}
	loseAll(c)
	f.cluster.Eventually("everything is lost", func() bool { return len(c.lostSoFar()) == 1 })
	f.await(c)
	now, generation := c.holding(0), c.m.Generation()
	err := c.m.Commit(testkit.Context(t), []CommitOffset{{Assignment: before, Offset: 5}, {Assignment: now, Offset: 7}})
	expectNotOwned(t, err, 0)
	var refused *CommitError
	if !errors.As(err, &refused) || refused.Failed[0].Assignment != before {
		t.Errorf("refused %v, want the earlier assignment only", err)
	}
	c.m.Release([]*Assignment{before})
	if err := c.m.Commit(testkit.Context(t), []CommitOffset{{Assignment: now, Offset: 8}}); err != nil {
		t.Errorf("after the earlier assignment was released: %v", err)
	}
	got, err := c.m.Committed(testkit.Context(t), []int32{0})
	if err != nil || got[0].Offset != 8 {
		t.Errorf("committed %v, %v; want what the later assignment has", got, err)
	}
	if g := c.m.Generation(); g != generation {
		t.Errorf("generation %d, then %d: the member has joined again for nothing", generation, g)
	}
}

func TestEarlierAssignmentIsOver(t *testing.T) {
	f, cluster := fakeFleet(t, 2)
	earlierAssignmentIsOver(t, f, func(*crew) {
		cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Heartbeat}, Err: kerr.UnknownMemberID})
	})
}

func TestEarlierAssignmentIsOverApache(t *testing.T) {
	broker := kafkatest.Shared(t)
	f := newFleet(t, &broker.Cluster, testkit.UniqueName("earlier-assignment"), 2)
	earlierAssignmentIsOver(t, f, func(c *crew) {
		if err := c.m.group.remove(testkit.Context(t), c.m.ID()); err != nil {
			t.Fatal(err)
		}
	})
}

// deafConn loses the response to the first JoinGroup request after deaf is set: the
// broker has handled the request, but the client does not know.
type deafConn struct {
	net.Conn
	deaf   *atomic.Bool
	losing atomic.Bool
}

func (c *deafConn) Write(b []byte) (int, error) {
	if len(b) >= 6 && protocol.ApiKey(binary.BigEndian.Uint16(b[4:])) == protocol.JoinGroup && c.deaf.CompareAndSwap(true, false) {
		c.losing.Store(true)
	}
	return c.Conn.Write(b)
}

func (c *deafConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if c.losing.Load() {
		_ = c.Close()
		return 0, io.ErrUnexpectedEOF
	}
	return n, err
}

// TestLostAnswerToJoin: if the response to a join is lost, the coordinator refuses the
// member's heartbeats. The member joins again and loses no partition.
func TestLostAnswerToJoin(t *testing.T) {
	f, cluster := fakeFleet(t, 4)
	var deaf atomic.Bool
	a := f.start(func(c *crew) {
		c.cfg.HeartbeatInterval = 2 * time.Millisecond
		c.dial = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return &deafConn{Conn: conn, deaf: &deaf}, nil
		}
	})
	f.await(a)
	owners, since := f.ownership()
	joins := cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, Observe: true, Count: -1})
	generation := a.m.Generation()
	deaf.Store(true)
	a.m.state.rejoin.Notify()
	f.cluster.Eventually("it joins again", func() bool { return joins.Hits() >= 2 && a.m.Generation() > generation })
	f.await(a)
	f.checkKept(owners, since)
	if lost := a.lostSoFar(); len(lost) > 0 {
		t.Errorf("lost partitions: %v", lost)
	}
}
