package group

import (
	"context"
	"net"
	"strconv"
	"testing"

	"github.com/go-logr/logr/funcr"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/internal/signal"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// awaitEnd waits for the end of Run.
func (c *crew) awaitEnd() {
	c.f.t.Helper()
	c.f.cluster.Eventually("Run ends", func() bool {
		select {
		case <-c.ended:
			return true
		default:
			return false
		}
	})
}

// TestTopicIsMissing: at the start that is a mistake in the configuration.
func TestTopicIsMissing(t *testing.T) {
	f, _ := fakeFleet(t, 2)
	f.topic = "misspelt"
	a := f.start()
	a.awaitEnd()
	testkit.ExpectError(t, a.err, kafka.ErrTopicNotFound, `"misspelt"`, "create it", `"in"`)
	if a.m.ID() != "" {
		t.Errorf("joined as %s all the same", a.m.ID())
	}
}

// TestClusterIsLate: a cluster that can't be reached yet is not one without the
// topic.
func TestClusterIsLate(t *testing.T) {
	late := kafkatest.UnusedAddr(t)
	_, port, err := net.SplitHostPort(late)
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	c := clientOf(t, late)
	handler := &slowHandler{called: make(chan struct{}), mayReturn: make(chan struct{})}
	close(handler.mayReturn)
	tried := signal.New()
	log := funcr.New(func(string, string) { tried.Notify() }, funcr.Options{})
	m := New(c, Config{GroupID: "in", Topic: "in", Handler: handler, Logger: log})
	ctx, cancel := context.WithCancel(testkit.Context(t))
	ran := make(chan error, 1)
	go func() { ran <- m.Run(ctx) }()
	select {
	case <-tried:
	case err := <-ran:
		t.Fatalf("Run: %v", err)
	}
	kafkatest.Fake(t, kfake.Ports(number), kfake.SeedTopics(1, "in"))
	select {
	case <-handler.called:
	case err := <-ran:
		t.Fatalf("Run: %v", err)
	}
	cancel()
	if err := <-ran; err != nil {
		t.Errorf("Run: %v", err)
	}
}

// TestTopicComesBack: one that is deleted while the group is at work is waited
// for.
func TestTopicComesBack(t *testing.T) {
	f, cluster := fakeFleet(t, 2)
	a := f.start()
	f.await(a)
	handle := cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Metadata}, Topic: "in", Err: kerr.UnknownTopicOrPartition, Count: -1})
	generation := a.m.Generation()
	a.m.state.rejoin.Notify()
	f.cluster.Eventually("it joins without seeing the topic", func() bool { return handle.Hits() > 0 && a.m.Generation() > generation })
	handle.Remove()
	a.m.state.rejoin.Notify()
	f.await(a)
	select {
	case <-a.ended:
		t.Errorf("Run returned %v", a.err)
	default:
	}
}

// otherMembers is a group whose members speak another protocol.
func otherMembers(t *testing.T, f *fleet, balancer kgo.GroupBalancer) {
	t.Helper()
	in := signal.New()
	kc, err := kgo.NewClient(
		kgo.SeedBrokers(f.cluster.Addrs()...), kgo.ConsumerGroup(f.group), kgo.ConsumeTopics(f.topic), kgo.Balancers(balancer),
		kgo.OnPartitionsAssigned(func(context.Context, *kgo.Client, map[string][]int32) { in.Notify() }),
	)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(kc.Close)
	select {
	case <-in:
	case <-testkit.Context(t).Done():
		t.Fatal("the other member has not joined")
	}
}

func refusesOtherAssignor(t *testing.T, f *fleet) {
	t.Helper()
	otherMembers(t, f, kgo.RangeBalancer())
	a := f.start()
	a.awaitEnd()
	testkit.ExpectError(t, a.err, kafkago.InconsistentGroupProtocol, f.group, `"range"`, `"cooperative-sticky"`, "partition.assignment.strategy", "another group id")
}

func TestOtherAssignor(t *testing.T) {
	f, _ := fakeFleet(t, 2)
	refusesOtherAssignor(t, f)
}

func TestOtherAssignorApache(t *testing.T) {
	broker := kafkatest.Shared(t)
	refusesOtherAssignor(t, newFleet(t, &broker.Cluster, testkit.UniqueName("other-assignor"), 2))
}

// TestOtherAssignorUnknown: the group's protocol is only for the message.
func TestOtherAssignorUnknown(t *testing.T) {
	f, cluster := fakeFleet(t, 2)
	otherMembers(t, f, kgo.RangeBalancer())
	cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DescribeGroups}, Err: kerr.GroupAuthorizationFailed, Count: -1})
	a := f.start()
	a.awaitEnd()
	testkit.ExpectError(t, a.err, kafkago.InconsistentGroupProtocol, f.group, "another assignor than", "CooperativeStickyAssignor")
}

// TestGroupOfAnotherType: Kafka Connect and others have groups too.
func TestGroupOfAnotherType(t *testing.T) {
	f, _ := fakeFleet(t, 2)
	kc, ctx := f.cluster.Client(), testkit.Context(t)
	join := kmsg.NewPtrJoinGroupRequest()
	join.Group, join.ProtocolType, join.SessionTimeoutMillis, join.RebalanceTimeoutMillis = f.group, "connect", 30000, 30000
	protocol := kmsg.NewJoinGroupRequestProtocol()
	protocol.Name = "sessioned"
	join.Protocols = append(join.Protocols, protocol)
	res, err := join.RequestWith(ctx, kc)
	if err == nil && res.ErrorCode == kerr.MemberIDRequired.Code {
		join.MemberID = res.MemberID
		res, err = join.RequestWith(ctx, kc)
	}
	if err != nil || res.ErrorCode != 0 {
		t.Fatalf("join: %v, %+v", err, res)
	}
	a := f.start()
	a.awaitEnd()
	testkit.ExpectError(t, a.err, kafkago.InconsistentGroupProtocol, f.group, `"connect"`, "another group id")
}
