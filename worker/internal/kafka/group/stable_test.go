package group

import (
	"bytes"
	"context"
	"encoding/binary"
	"reflect"
	"testing"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/offsetfetch"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

func TestStableOffsetFetchIsWhatOthersRead(t *testing.T) {
	r := &stableOffsetFetch{GroupID: "g", Topics: []offsetfetch.RequestTopic{{Name: "in", PartitionIndexes: []int32{3, 1 << 20}}}}
	b := r.AppendTo(nil, "me")
	if size := binary.BigEndian.Uint32(b); int(size) != len(b)-4 {
		t.Errorf("size %d of %d bytes", size, len(b)-4)
	}
	if want := []byte{0, 9, 0, 7, 0, 0, 0, 0, 0, 2, 'm', 'e', 0}; !bytes.HasPrefix(b[4:], want) {
		t.Fatalf("header % x, want % x", b[4:], want)
	}
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Version = stableVersion
	if err := req.ReadFrom(b[4+13:]); err != nil {
		t.Fatal(err)
	}
	if req.Group != "g" || !req.RequireStable || len(req.Topics) != 1 || req.Topics[0].Topic != "in" ||
		!reflect.DeepEqual(req.Topics[0].Partitions, []int32{3, 1 << 20}) {
		t.Errorf("others read %+v", req)
	}
}

// stableAnswer is what a broker writes, without the size.
func stableAnswer() []byte {
	res := kmsg.NewPtrOffsetFetchResponse()
	res.Version, res.ThrottleMillis, res.ErrorCode = stableVersion, 7, 16
	metadata := "of the offset"
	for _, name := range []string{"in", "other"} {
		topic := kmsg.NewOffsetFetchResponseTopic()
		topic.Topic = name
		for p, m := range []*string{&metadata, nil} {
			partition := kmsg.NewOffsetFetchResponseTopicPartition()
			partition.Partition, partition.Offset, partition.LeaderEpoch, partition.Metadata = int32(p), 1<<40, 5, m
			partition.ErrorCode = 88
			partition.UnknownTags.Set(3, []byte("of the future"))
			topic.Partitions = append(topic.Partitions, partition)
		}
		res.Topics = append(res.Topics, topic)
	}
	return res.AppendTo([]byte{0, 0, 0, 0, wire.NoTags})
}

func TestDecodeStableOffsets(t *testing.T) {
	whole := stableAnswer()
	got, err := decodeStableOffsets(whole)
	if err != nil {
		t.Fatal(err)
	}
	partitions := []offsetfetch.ResponsePartition{
		{PartitionIndex: 0, CommittedOffset: 1 << 40, ComittedLeaderEpoch: 5, Metadata: "of the offset", ErrorCode: 88},
		{PartitionIndex: 1, CommittedOffset: 1 << 40, ComittedLeaderEpoch: 5, ErrorCode: 88},
	}
	want := &offsetfetch.Response{ThrottleTimeMs: 7, ErrorCode: 16, Topics: []offsetfetch.ResponseTopic{
		{Name: "in", Partitions: partitions}, {Name: "other", Partitions: partitions},
	}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	for n := range whole {
		if _, err := decodeStableOffsets(whole[:n]); err == nil {
			t.Errorf("%d of %d bytes: no error", n, len(whole))
		}
	}
}

func FuzzDecodeStableOffsets(f *testing.F) {
	f.Add(stableAnswer())
	f.Add([]byte{0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f})
	f.Fuzz(func(t *testing.T, data []byte) {
		res, err := decodeStableOffsets(data)
		if err == nil && len(res.Topics) > len(data) {
			t.Errorf("%d topics out of %d bytes", len(res.Topics), len(data))
		}
	})
}

// topicID is what later versions of requests name the topic by.
func (f *fleet) topicID(ctx context.Context) [16]byte {
	f.t.Helper()
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = &f.topic
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = append(req.Topics, topic)
	res, err := req.RequestWith(ctx, f.cluster.Client())
	if err != nil || len(res.Topics) != 1 {
		f.t.Fatalf("metadata: %v, %+v", err, res)
	}
	return res.Topics[0].TopicID
}

// waitsForTransaction commits an offset in a transaction: nobody may go on from
// the older one while that is under way.
func waitsForTransaction(t *testing.T, f *fleet) {
	t.Helper()
	ctx := testkit.Context(t)
	c := joined(f)
	if err := c.m.Commit(ctx, []CommitOffset{{c.holding(0), 4, "before", -1}}); err != nil {
		t.Fatal(err)
	}
	kc, txn := f.cluster.Client(), f.group+"-txn"
	start := kmsg.NewPtrInitProducerIDRequest()
	start.TransactionalID, start.TransactionTimeoutMillis = &txn, 60000
	producer, err := start.RequestWith(ctx, kc)
	if err != nil || producer.ErrorCode != 0 {
		t.Fatalf("init producer id: %v, %+v", err, producer)
	}
	add := kmsg.NewPtrAddOffsetsToTxnRequest()
	add.TransactionalID, add.ProducerID, add.ProducerEpoch, add.Group = txn, producer.ProducerID, producer.ProducerEpoch, f.group
	if res, err := add.RequestWith(ctx, kc); err != nil || res.ErrorCode != 0 {
		t.Fatalf("add offsets to the transaction: %v, %+v", err, res)
	}
	commit := kmsg.NewPtrTxnOffsetCommitRequest()
	commit.TransactionalID, commit.ProducerID, commit.ProducerEpoch, commit.Group = txn, producer.ProducerID, producer.ProducerEpoch, f.group
	commit.MemberID, commit.Generation = c.m.ID(), c.m.Generation()
	topic := kmsg.NewTxnOffsetCommitRequestTopic()
	partition := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	metadata := "in a transaction"
	partition.Offset, partition.Metadata = 9, &metadata
	topic.Topic, topic.TopicID, topic.Partitions = f.topic, f.topicID(ctx), append(topic.Partitions, partition)
	commit.Topics = append(commit.Topics, topic)
	if res, err := commit.RequestWith(ctx, kc); err != nil || res.Topics[0].Partitions[0].ErrorCode != 0 {
		t.Fatalf("commit in the transaction: %v, %+v", err, res)
	}

	got, err := c.m.Committed(ctx, []int32{0})
	if err != nil {
		t.Fatal(err) // it is the partition's own trouble
	}
	testkit.ExpectError(t, got[0].Err, kafkago.UnstableOffsetCommit, "partition 0")
	end := kmsg.NewPtrEndTxnRequest()
	end.TransactionalID, end.ProducerID, end.ProducerEpoch, end.Commit = txn, producer.ProducerID, producer.ProducerEpoch, true
	if res, err := end.RequestWith(ctx, kc); err != nil || res.ErrorCode != 0 {
		t.Fatalf("end the transaction: %v, %+v", err, res)
	}
	f.cluster.Eventually("it has what the transaction holds", func() bool {
		got, err := c.m.Committed(ctx, []int32{0})
		return err == nil && got[0].Err == nil && got[0].Offset == 9 && got[0].Metadata == metadata
	})
}

func TestCommittedWaitsForTransaction(t *testing.T) {
	f, _ := fakeFleet(t, 1)
	waitsForTransaction(t, f)
}

func TestCommittedWaitsForTransactionApache(t *testing.T) {
	broker := kafkatest.Shared(t)
	waitsForTransaction(t, newFleet(t, &broker.Cluster, testkit.UniqueName("committed-waits"), 1))
}

// TestCommittedOnAnOldBroker: one that does not know of stable offsets.
func TestCommittedOnAnOldBroker(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.GroupMinSessionTimeout(0), kfake.MaxVersions(kversion.V2_4_0()))
	f := newFleet(t, &cluster.Cluster, "in", 2)
	c := joined(f)
	var version int16
	cluster.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.OffsetFetch}, Observe: true, Count: -1, When: func(req kmsg.Request) bool {
		version = req.GetVersion()
		return true
	}})
	if err := c.m.Commit(testkit.Context(t), []CommitOffset{{c.holding(1), 4, "x", -1}}); err != nil {
		t.Fatal(err)
	}
	got, err := c.m.Committed(testkit.Context(t), []int32{0, 1})
	if err != nil || got[0].Offset != -1 || got[1].Offset != 4 || got[1].Metadata != "x" {
		t.Errorf("committed %v, %v", got, err)
	}
	if version != 5 {
		t.Errorf("asked with version %d, want 5", version)
	}
}
