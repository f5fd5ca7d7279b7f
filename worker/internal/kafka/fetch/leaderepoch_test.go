package fetch

import (
	"reflect"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestEpochEnds asks a real leader where its epochs end.
func TestEpochEnds(t *testing.T) {
	t.Run("fake", func(t *testing.T) { epochEndsOf(t, &kafkatest.Fake(t).Cluster) })
	t.Run("Apache", func(t *testing.T) { epochEndsOf(t, &kafkatest.Shared(t).Cluster) })
}

func epochEndsOf(t *testing.T, cluster *kafkatest.Cluster) {
	topic := testkit.UniqueName("epoch-ends")
	cluster.CreateTopic(topic, 2, nil)
	cluster.Produce(numbered(topic, 1, 0, 10)...)
	c, ctx := clientOf(t, cluster.Addrs()...), testkit.Context(t)
	l := c.LeadersOf(ctx, topic, []int32{1})[1]
	if l.Err != nil || l.Epoch < 0 || l.TopicID == (kafka.TopicID{}) {
		t.Fatalf("got %+v, want the leader's epoch and the topic's id", l)
	}
	ends := askEpochEnds(ctx, c, l.Broker, topic, []epochQuestion{{1, l.Epoch, l.Epoch}, {0, l.Epoch + 5, l.Epoch}})
	if end := ends[1]; end.err != nil || end.epoch != l.Epoch || end.end != 10 {
		t.Errorf("got %+v, want the end of the log", end)
	}
	if end := ends[0]; !kafka.StaleLeader(end.err) {
		t.Errorf("got %+v for an epoch that is yet to come, want an error that has the leader looked up again", end)
	}
}

// TestRequestsCarryTheLeadersEpoch: a broker that leads the partition no more, or
// does not know yet that it does, refuses the request instead of answering from
// another log.
func TestRequestsCarryTheLeadersEpoch(t *testing.T) {
	fake := kafkatest.Fake(t, kfake.NumBrokers(2))
	fake.CreateTopic("orders", 1, nil)
	fake.Produce(numbered("orders", 0, 0, 10)...)
	if err := fake.Faults.MoveTopicPartition("orders", 0, 1-fake.Faults.LeaderFor("orders", 0)); err != nil {
		t.Fatal(err)
	}
	var fetched, listed atomic.Int32
	fake.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Fetch, kmsg.ListOffsets}, Topic: "orders", Count: -1, Observe: true,
		When: func(req kmsg.Request) bool {
			switch req := req.(type) {
			case *kmsg.FetchRequest:
				fetched.Store(req.Topics[0].Partitions[0].CurrentLeaderEpoch)
			case *kmsg.ListOffsetsRequest:
				listed.Store(req.Topics[0].Partitions[0].CurrentLeaderEpoch)
			}
			return true
		},
	})
	r := newReader(t, fake.Addrs(), Config{Topic: "orders"})
	r.start(0, 0)
	r.reads(map[int32]int64{0: 10})
	l := r.f.router.client.LeadersOf(testkit.Context(t), "orders", []int32{0})[0]
	if l.Err != nil || l.Epoch <= 0 {
		t.Fatalf("got %+v, want the epoch of the second leader", l)
	}
	if end := r.f.router.client.PartitionOffsets(testkit.Context(t), "orders", []int32{0}, kafka.Latest, config.ReadUncommitted)[0]; end.Err != nil || end.Offset != 10 {
		t.Errorf("the log ends at %+v", end)
	}
	if fetched.Load() != l.Epoch || listed.Load() != l.Epoch {
		t.Errorf("Fetch carried the epoch %d and ListOffsets %d, want %d", fetched.Load(), listed.Load(), l.Epoch)
	}
}

// TestOldBrokersTellNoIDs: what a broker does not know is unknown, and no error.
func TestOldBrokersTellNoIDs(t *testing.T) {
	fake := kafkatest.Fake(t, kfake.MaxVersions(kversion.V2_4_0()))
	fake.CreateTopic("orders", 1, nil)
	fake.Produce(numbered("orders", 0, 0, 10)...)
	c := clientOf(t, fake.Addrs()...)
	if l := c.LeadersOf(testkit.Context(t), "orders", []int32{0})[0]; l.Err != nil || l.TopicID != (kafka.TopicID{}) {
		t.Errorf("got %+v, want a leader and no id", l)
	}
	r := newReader(t, fake.Addrs(), Config{Topic: "orders"})
	r.start(0, 0)
	r.reads(map[int32]int64{0: 10})
}

func TestDecodeEpochEnds(t *testing.T) {
	res := kmsg.NewPtrOffsetForLeaderEpochResponse()
	res.Version = epochEndVersion
	topic, p := kmsg.NewOffsetForLeaderEpochResponseTopic(), kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
	topic.Topic, p.Partition, p.LeaderEpoch, p.EndOffset = "in", 3, 4, 1<<40
	topic.Partitions = append(topic.Partitions, p)
	res.Topics = append(res.Topics, topic)
	whole := res.AppendTo([]byte{0, 0, 0, 0})
	got, err := decodeEpochEnds(whole, "in")
	if want := map[int32]epochEnd{3: {epoch: 4, end: 1 << 40}}; err != nil || !reflect.DeepEqual(got.ends, want) {
		t.Errorf("got %+v, %v, want %+v", got, err, want)
	}
	for n := range whole {
		if _, err := decodeEpochEnds(whole[:n], "in"); err == nil {
			t.Errorf("%d of %d bytes: no error", n, len(whole))
		}
	}
}

// FuzzDecodeEpochEnds checks that no response makes the decoder panic.
func FuzzDecodeEpochEnds(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 'x', 0, 0, 0, 1})
	f.Fuzz(func(_ *testing.T, data []byte) { _, _ = decodeEpochEnds(data, "in") })
}
