package admin

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestEmptyGroups: groups with members and those that don't exist are not empty,
// and one that can't be asked about hides no other.
func TestEmptyGroups(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.NumBrokers(2), kfake.SeedTopics(1, "in"))
	a := adminOf(t, cluster.Addrs()...)
	var want []string
	for i := range 10 {
		group := fmt.Sprint("left-", i)
		if err := a.RenewGroup(testContext(t), group, "in"); err != nil {
			t.Fatalf("RenewGroup: %v", err)
		}
		cluster.CommitOffsets(group, "in", map[int32]int64{0: 1})
		want = append(want, group)
	}
	joinGroup(t, cluster, "fleet")
	asked := countRequests(cluster, kmsg.DescribeGroups)
	empty, failed := a.EmptyGroups(testContext(t), append([]string{"fleet", "unknown"}, want...))
	slices.Sort(empty)
	if !slices.Equal(empty, want) || len(failed) > 0 {
		t.Errorf("got %v, %v, want %v", empty, failed, want)
	}
	if n := asked(); n > 2 {
		t.Errorf("asked %d times where there are 2 coordinators", n)
	}
}

// TestRenewGroupLeavesNobodyBehind: the group is empty again at once and still has
// its offsets.
func TestRenewGroupLeavesNobodyBehind(t *testing.T) {
	t.Run("kfake", func(t *testing.T) {
		testRenewGroup(t, &kafkatest.Fake(t, kfake.SeedTopics(1, "in")).Cluster)
	})
	t.Run("Apache", func(t *testing.T) {
		broker := kafkatest.Shared(t)
		testRenewGroup(t, &broker.Cluster)
	})
}

func testRenewGroup(t *testing.T, cluster *kafkatest.Cluster) {
	topic, group := uniqueName("renewed-topic"), uniqueName("renewed")
	cluster.CreateTopic(topic, 1, nil)
	a := adminOf(t, cluster.Addrs()...)
	cluster.Eventually("the coordinator is there", func() bool { return a.RenewGroup(testContext(t), group, topic) == nil })
	cluster.CommitOffsets(group, topic, map[int32]int64{0: 7})
	for range 3 {
		if err := a.RenewGroup(testContext(t), group, topic); err != nil {
			t.Fatalf("RenewGroup: %v", err)
		}
		if empty, failed := a.EmptyGroups(testContext(t), []string{group}); len(empty) != 1 {
			t.Errorf("the group is not empty afterwards: %v", failed)
		}
	}
	if offsets := cluster.GroupOffsets(group)[topic]; len(offsets) != 1 || offsets[0].Offset != 7 {
		t.Errorf("the group has the offsets %v, want 7", offsets)
	}
}

// TestRenewGroupFindsItsCoordinator: one that has moved since it was looked up.
func TestRenewGroupFindsItsCoordinator(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.NumBrokers(3), kfake.SeedTopics(1, "in"))
	a := adminOf(t, cluster.Addrs()...)
	if err := a.RenewGroup(testContext(t), "group", "in"); err != nil {
		t.Fatal(err)
	}
	cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.JoinGroup}, Err: kerr.NotCoordinator})
	if err := a.RenewGroup(testContext(t), "group", "in"); err == nil {
		t.Error("no error from a broker that coordinates no more")
	}
	if err := a.RenewGroup(testContext(t), "group", "in"); err != nil {
		t.Errorf("after the coordinator has moved: %v", err)
	}
}

func TestOffsetsRetention(t *testing.T) {
	t.Run("kfake", func(t *testing.T) {
		cluster := kafkatest.Fake(t, kfake.BrokerConfigs(map[string]string{retentionProperty: "90"}))
		got, err := adminOf(t, cluster.Addrs()...).OffsetsRetention(testContext(t))
		if err != nil || got != 90*time.Minute {
			t.Errorf("got %v, %v, want 90 minutes", got, err)
		}
	})
	t.Run("Apache", func(t *testing.T) {
		got, err := adminOf(t, kafkatest.Shared(t).Addrs()...).OffsetsRetention(testContext(t))
		if err != nil || got != 7*24*time.Hour {
			t.Errorf("got %v, %v, want Kafka's default of 7 days", got, err)
		}
	})
}

// joinGroup starts a member of a group, and returns when it has joined.
func joinGroup(t *testing.T, cluster *kafkatest.FakeCluster, group string) {
	t.Helper()
	cluster.CreateTopic(group, 1, nil)
	member, err := kgo.NewClient(kgo.SeedBrokers(cluster.Addrs()...), kgo.ConsumerGroup(group), kgo.ConsumeTopics(group))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(member.Close)
	cluster.Eventually("the member has joined", func() bool {
		req := kmsg.NewPtrDescribeGroupsRequest()
		req.Groups = []string{group}
		res, err := req.RequestWith(testContext(t), cluster.Client())
		return err == nil && len(res.Groups) == 1 && res.Groups[0].State == "Stable"
	})
}
