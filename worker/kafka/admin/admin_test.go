package admin

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

func adminOf(t *testing.T, servers ...string) *Admin {
	t.Helper()
	a, err := New(kafka.ClientConfig{BootstrapServers: servers, ClientID: "test"})
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	t.Cleanup(a.Close)
	return a
}

// countRequests counts a kind of request.
func countRequests(cluster *kafkatest.FakeCluster, key kmsg.Key) func() int {
	return cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Count: -1, Observe: true}).Hits
}

func leadersFrom(t *testing.T, a *Admin, names ...string) map[string][]int32 {
	t.Helper()
	topics, err := a.Topics(testContext(t), names)
	if err != nil {
		t.Fatalf("Topics: %v", err)
	}
	leaders := make(map[string][]int32)
	for name, info := range topics {
		if info.Err != nil {
			t.Fatalf("Topics: %v", info.Err)
		}
		leaders[name] = info.Leaders
	}
	return leaders
}

func TestAdminTopics(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.NumBrokers(3), kfake.SeedTopics(2, "a", "b", "unasked"))
	asked := countRequests(cluster, kmsg.Metadata)
	unasked := countMetadata(cluster, "unasked")
	a := adminOf(t, cluster.Addrs()...)
	if err := a.c.Ping(testContext(t)); err != nil {
		t.Fatal(err)
	}
	before := asked()
	topics, err := a.Topics(testContext(t), []string{"a", "b", "missing"})
	if err != nil {
		t.Fatalf("Topics: %v", err)
	}
	// The transport may have sent a request for its own layout.
	if got := asked() - before; got > 2 {
		t.Errorf("asked %d times for 3 topics", got)
	}
	if unasked.Hits() > 0 {
		t.Error("asked for all topics")
	}
	for _, name := range []string{"a", "b"} {
		want := []int32{cluster.Faults.LeaderFor(name, 0), cluster.Faults.LeaderFor(name, 1)}
		if got := topics[name]; got.Err != nil || !slices.Equal(got.Leaders, want) {
			t.Errorf("topic %s: got %v, want leaders %v", name, got, want)
		}
	}
	expectError(t, topics["missing"].Err, kafka.ErrTopicNotFound, `"missing"`)
}

func expectTopicOffsets(t *testing.T, got map[string]TopicOffsets, want map[string][]int64) {
	t.Helper()
	if len(got) != len(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for topic, offsets := range want {
		if got[topic].Err != nil || !slices.Equal(got[topic].Offsets, offsets) {
			t.Errorf("topic %s: got %v, want %v", topic, got[topic], offsets)
		}
	}
}

func TestAdminListOffsetsAsksEachLeaderOnce(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.NumBrokers(3), kfake.SeedTopics(6, "a", "b", "c"))
	value := []byte("v")
	cluster.Produce(&kgo.Record{Topic: "a", Partition: 1, Value: value}, &kgo.Record{Topic: "c", Partition: 5, Value: value})
	asked := countRequests(cluster, kmsg.ListOffsets)
	a := adminOf(t, cluster.Addrs()...)
	leaders := leadersFrom(t, a, "a", "b", "c")
	got := a.ListOffsets(testContext(t), leaders, kafka.Latest, config.ReadCommitted)
	expectTopicOffsets(t, got, map[string][]int64{
		"a": {0, 1, 0, 0, 0, 0}, "b": make([]int64, 6), "c": {0, 0, 0, 0, 0, 1},
	})
	if got := asked(); got > 3 {
		t.Errorf("asked %d times where there are 3 leaders", got)
	}
}

func TestAdminListOffsetsFailsTopicsAlone(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.SeedTopics(2, "good", "moved", "forbidden", "leaderless"))
	cluster.Faults.Fault(
		kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Topic: "moved", Partitions: []int32{1}, Err: kerr.UnknownTopicOrPartition, Count: -1},
		kfake.Fault{Keys: []kmsg.Key{kmsg.ListOffsets}, Topic: "forbidden", Err: kerr.TopicAuthorizationFailed, Count: -1},
	)
	a := adminOf(t, cluster.Addrs()...)
	leaders := leadersFrom(t, a, "good", "moved", "forbidden", "leaderless")
	leaders["leaderless"][1] = -1
	leaders["elsewhere"] = []int32{99}
	got := a.ListOffsets(testContext(t), leaders, kafka.Earliest, "")
	if good := got["good"]; good.Err != nil || !slices.Equal(good.Offsets, []int64{0, 0}) {
		t.Errorf("the good topic: got %v", good)
	}
	expectError(t, got["moved"].Err, kafkago.UnknownTopicOrPartition, `topic "moved"`, "partition 1")
	if errors.Is(got["moved"].Err, kafka.ErrTopicNotFound) {
		t.Errorf("a leader's old picture counts for the topic's absence: %v", got["moved"].Err)
	}
	expectError(t, got["forbidden"].Err, kafka.ErrNotAuthorized, `topic "forbidden"`, "Describe")
	expectError(t, got["leaderless"].Err, kafkago.LeaderNotAvailable, "partition 1")
	expectError(t, got["elsewhere"].Err, kafkago.BrokerNotAvailable, "broker 99")
}

func TestAdminCommittedOffsets(t *testing.T) {
	for name, opts := range map[string][]kfake.Opt{
		"batched":      nil,
		"old brokers":  {kfake.MaxVersions(kversion.V2_8_0())},
		"many brokers": {kfake.NumBrokers(3)},
	} {
		t.Run(name, func(t *testing.T) {
			testCommittedOffsets(t, kafkatest.Fake(t, append(opts, kfake.SeedTopics(3, "a", "b"))...))
		})
	}
}

func testCommittedOffsets(t *testing.T, cluster *kafkatest.FakeCluster) {
	asked := make(map[GroupTopic]int32)
	want := make(map[GroupTopic][]int64)
	for i := range 20 {
		group := fmt.Sprintf("group-%d", i)
		cluster.CommitOffsets(group, "a", map[int32]int64{0: int64(i), 2: 7})
		asked[GroupTopic{group, "a"}], asked[GroupTopic{group, "b"}] = 3, 2
		want[GroupTopic{group, "a"}], want[GroupTopic{group, "b"}] = []int64{int64(i), -1, 7}, []int64{-1, -1}
	}
	asked[GroupTopic{"none", "b"}], want[GroupTopic{"none", "b"}] = 1, []int64{-1}
	a := adminOf(t, cluster.Addrs()...)
	for range 2 { // with coordinators to be found, and known
		got := a.CommittedOffsets(testContext(t), asked)
		if len(got) != len(want) {
			t.Errorf("got %d answers, want %d", len(got), len(want))
		}
		for gt, offsets := range want {
			if got[gt].Err != nil || !slices.Equal(got[gt].Offsets, offsets) {
				t.Errorf("%v: got %v, want %v", gt, got[gt], offsets)
			}
		}
	}
}

func TestAdminCommittedOffsetsIsBatched(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.NumBrokers(2), kfake.SeedTopics(10, "a"))
	finds, fetches := countRequests(cluster, kmsg.FindCoordinator), countRequests(cluster, kmsg.OffsetFetch)
	a := adminOf(t, cluster.Addrs()...)
	asked := make(map[GroupTopic]int32)
	for i := range 1000 {
		asked[GroupTopic{fmt.Sprint(i), "a"}] = 10
	}
	for gt, got := range a.CommittedOffsets(testContext(t), asked) {
		if got.Err != nil || len(got.Offsets) != 10 {
			t.Fatalf("%v: got %v", gt, got)
		}
	}
	if got := finds(); got != 1 {
		t.Errorf("asked %d times for coordinators, want 1", got)
	}
	if got, limit := fetches(), 10000/offsetsAtOnce+2; got > limit {
		t.Errorf("asked %d times for offsets, want at most %d", got, limit)
	}
}

func TestAdminFollowsCoordinators(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.NumBrokers(3), kfake.SeedTopics(1, "a"))
	a := adminOf(t, cluster.Addrs()...)
	asked := map[GroupTopic]int32{}
	for i := range 10 {
		asked[GroupTopic{fmt.Sprint(i), "a"}] = 1
	}
	failures := func() (failures []error) {
		for _, got := range a.CommittedOffsets(testContext(t), asked) {
			if got.Err != nil {
				failures = append(failures, got.Err)
			}
		}
		return failures
	}
	if got := failures(); got != nil {
		t.Fatalf("at first: %v", got)
	}
	cluster.Faults.RehashCoordinators()
	// Whoever is asked in vain first is found by the next question.
	for _, err := range failures() {
		expectError(t, err, kafkago.NotCoordinatorForGroup, "consumer group")
	}
	if got := failures(); got != nil {
		t.Errorf("after the coordinators have moved: %v", got)
	}
}

func TestAdminGroupNotAuthorized(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.SeedTopics(1, "a"))
	cluster.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.OffsetFetch}, Group: "forbidden", Err: kerr.GroupAuthorizationFailed, Count: -1,
	})
	got := adminOf(t, cluster.Addrs()...).CommittedOffsets(testContext(t),
		map[GroupTopic]int32{{"good", "a"}: 1, {"forbidden", "a"}: 1})
	if good := got[GroupTopic{"good", "a"}]; good.Err != nil {
		t.Errorf("the good group: %v", good.Err)
	}
	err := got[GroupTopic{"forbidden", "a"}].Err
	expectError(t, err, kafka.ErrNotAuthorized, `"forbidden"`, "Read")
	if !kafka.Refused(err) {
		t.Error("this passes without anybody doing anything")
	}
}

func TestAdminDeleteGroup(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.NumBrokers(2), kfake.SeedTopics(1, "a"))
	testDeleteGroup(t, &cluster.Cluster, "delete", "a")
}

func testDeleteGroup(t *testing.T, cluster *kafkatest.Cluster, group, topic string) {
	t.Helper()
	a := adminOf(t, cluster.Addrs()...)
	member := cluster.Client(kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic), kgo.FetchMaxWait(50*time.Millisecond))
	cluster.Eventually("the group has a member", func() bool {
		ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
		defer cancel()
		member.PollFetches(ctx)
		generation, _ := member.GroupMetadata()
		return generation != ""
	})
	expectError(t, a.DeleteGroup(testContext(t), group), ErrGroupNotEmpty, `"`+group+`"`, "1 of them", `"kgo"`, "127.0.0.1")
	members, err := a.Members(testContext(t), group)
	if err != nil || len(members) != 1 || members[0].ClientID != "kgo" || members[0].ID == "" || !strings.Contains(members[0].Host, "127.0.0.1") {
		t.Errorf("its members: %v, %v", members, err)
	}
	member.Close()
	cluster.Eventually("a group without members is deleted", func() bool {
		err := a.DeleteGroup(testContext(t), group)
		if err != nil && !errors.Is(err, ErrGroupNotEmpty) {
			t.Fatalf("DeleteGroup: %v", err)
		}
		return err == nil
	})
	cluster.CommitOffsets(group, topic, map[int32]int64{0: 5})
	for _, what := range []string{"with offsets", "deleted already"} {
		if err := a.DeleteGroup(testContext(t), group); err != nil {
			t.Errorf("DeleteGroup of a group %s: %v", what, err)
		}
	}
	if members, err := a.Members(testContext(t), group); err != nil || len(members) != 0 {
		t.Errorf("members of the deleted group: %v, %v", members, err)
	}
	gt := GroupTopic{group, topic}
	got := a.CommittedOffsets(testContext(t), map[GroupTopic]int32{gt: 1})[gt]
	if got.Err != nil || !slices.Equal(got.Offsets, []int64{-1}) {
		t.Errorf("offsets of the deleted group: got %v", got)
	}
}

func TestAdminDeleteGroupErrors(t *testing.T) {
	cluster := kafkatest.Fake(t)
	cluster.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.DeleteGroups}, Group: "forbidden", Err: kerr.GroupAuthorizationFailed, Count: -1,
	})
	a := adminOf(t, cluster.Addrs()...)
	expectError(t, a.DeleteGroup(testContext(t), "forbidden"), kafka.ErrNotAuthorized, `"forbidden"`, "Delete")
	cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.DeleteGroups}, Group: "moved", Err: kerr.NotCoordinator})
	expectError(t, a.DeleteGroup(testContext(t), "moved"), kafkago.NotCoordinatorForGroup, `"moved"`)
	if err := a.DeleteGroup(testContext(t), "moved"); err != nil {
		t.Errorf("after it has moved: %v", err)
	}
}

func TestAdminOnApacheKafka(t *testing.T) {
	broker := kafkatest.Shared(t)
	broker.CreateTopic("admin", 2, nil)
	broker.CreateTopic("admin-other", 1, nil)
	broker.Produce(&kgo.Record{Topic: "admin", Partition: 1, Value: []byte("v")})
	txn := broker.Begin("admin")
	txn.Produce(&kgo.Record{Topic: "admin", Partition: 1, Value: []byte("v")})
	defer txn.Abort()
	broker.CommitOffsets("admin", "admin", map[int32]int64{1: 1})

	a := adminOf(t, broker.Addrs()...)
	leaders := leadersFrom(t, a, "admin", "admin-other")
	got := a.ListOffsets(testContext(t), leaders, kafka.Latest, config.ReadCommitted)
	expectTopicOffsets(t, got, map[string][]int64{"admin": {0, 1}, "admin-other": {0}})
	got = a.ListOffsets(testContext(t), leaders, kafka.Latest, config.ReadUncommitted)
	expectTopicOffsets(t, got, map[string][]int64{"admin": {0, 2}, "admin-other": {0}})

	committed := a.CommittedOffsets(testContext(t),
		map[GroupTopic]int32{{"admin", "admin"}: 2, {"admin", "admin-other"}: 1, {"admin-none", "admin"}: 2})
	offsets := make(map[string][]int64)
	for gt, found := range committed {
		if found.Err != nil {
			t.Errorf("%v: %v", gt, found.Err)
		}
		offsets[gt.Group+" "+gt.Topic] = found.Offsets
	}
	want := map[string][]int64{"admin admin": {-1, 1}, "admin admin-other": {-1}, "admin-none admin": {-1, -1}}
	if !maps.EqualFunc(offsets, want, slices.Equal[[]int64]) {
		t.Errorf("committed: got %v, want %v", offsets, want)
	}
	testDeleteGroup(t, &broker.Cluster, "admin-delete", "admin-other")
}

// Answers that are cut or otherwise broken are errors, not panics.
func TestAdminCutAnswers(t *testing.T) {
	found := kmsg.NewPtrFindCoordinatorResponse()
	found.Version = findCoordinatorsVersion
	coordinator := kmsg.NewFindCoordinatorResponseCoordinator()
	coordinator.Key, coordinator.Host = "group", "host"
	found.Coordinators = append(found.Coordinators, coordinator)
	offsets := kmsg.NewPtrOffsetFetchResponse()
	offsets.Version = groupsOffsetsVersion
	group := kmsg.NewOffsetFetchResponseGroup()
	topic := kmsg.NewOffsetFetchResponseGroupTopic()
	topic.Topic = "topic"
	topic.Partitions = append(topic.Partitions, kmsg.NewOffsetFetchResponseGroupTopicPartition())
	group.Topics = append(group.Topics, topic)
	offsets.Groups = append(offsets.Groups, group)

	for _, test := range []struct {
		request wire.Layout
		answer  []byte
	}{
		{&findCoordinators{}, found.AppendTo(nil)},
		{&groupsOffsets{}, offsets.AppendTo(nil)},
	} {
		whole := append([]byte{0, 0, 0, 9, wire.NoTags}, test.answer...)
		for n := range len(whole) + 1 {
			_, err := test.request.ReadAnswer(sized(whole[:n]))
			if (err == nil) != (n == len(whole)) {
				t.Errorf("%T: %d of %d bytes: got %v", test.request, n, len(whole), err)
			}
		}
	}
}

func sized(answer []byte) io.Reader {
	return bytes.NewReader(append(binary.BigEndian.AppendUint32(nil, uint32(len(answer))), answer...))
}
