package broker

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestSimulationAgreesWithKafka sends the same requests to the simulation and to Apache
// Kafka, and compares the answers. Where Kafka answers that a transaction is still being
// completed, the request is sent again: how long that takes is not compared.
func TestSimulationAgreesWithKafka(t *testing.T) {
	for version := 1; version <= 2; version++ {
		options := []kafkatest.Option{
			kafkatest.Feature("transaction.version", version),
			kafkatest.Property("transaction.abort.timed.out.transaction.cleanup.interval.ms", "100"),
		}
		apache := kafkatest.Shared(t, options...)
		for _, s := range scripts {
			t.Run(fmt.Sprintf("version %d/%s", version, s.name), func(t *testing.T) {
				topic := strings.ReplaceAll(fmt.Sprintf("v%d %s", version, s.name), " ", "-")
				server := NewServer(version, 1)
				server.CreateTopic(topic, 2)
				simulated := run(t, version, topic, s.run, kgo.SeedBrokers("broker-1:9092"), kgo.Dialer(server.NewHost("test").Dial))
				apache := apache.For(t)
				apache.CreateTopic(topic, 2, nil)
				real := run(t, version, topic, s.run, kgo.SeedBrokers(apache.Addrs()...))
				if !slices.Equal(simulated, real) {
					for i := range max(len(simulated), len(real)) {
						t.Errorf("the simulation: %-60s Kafka: %s", at(simulated, i), at(real, i))
					}
				}
				t.Logf("%d answers agree:\n%s", len(real), strings.Join(real, "\n"))
			})
		}
	}
}

func at(list []string, i int) string {
	if i < len(list) {
		return list[i]
	}
	return ""
}

// talk sends requests and notes the answers.
type talk struct {
	t       *testing.T
	client  *kgo.Client
	version int
	topic   string
	id      string // transactional
	group   string
	member  Member
	answers []string
}

func run(t *testing.T, version int, topic string, script func(*talk), opts ...kgo.Opt) []string {
	t.Helper()
	latest := kversion.Stable()
	for key := range int16(200) {
		latest.SetMaxKeyVersion(key, -1)
	}
	for key, v := range versions {
		latest.SetMaxKeyVersion(int16(key), v)
	}
	if version == 1 {
		latest.SetMaxKeyVersion(int16(kmsg.Produce), 11)
		latest.SetMaxKeyVersion(int16(kmsg.EndTxn), 4)
		latest.SetMaxKeyVersion(int16(kmsg.TxnOffsetCommit), 4)
	}
	client, err := kgo.NewClient(append(opts, kgo.MaxVersions(latest))...)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	k := &talk{t: t, client: client, version: version, topic: topic, id: "id-" + topic, group: "group-" + topic, member: Member{Generation: -1}}
	k.findCoordinators()
	script(k)
	return k.answers
}

// findCoordinators makes Kafka create the topics that coordinators need.
func (k *talk) findCoordinators() {
	k.t.Helper()
	for kind, key := range []string{k.group, k.id} {
		req := kmsg.NewPtrFindCoordinatorRequest()
		req.CoordinatorKey, req.CoordinatorType = key, int8(kind)
		ask(k, req, func(r *kmsg.FindCoordinatorResponse) Code { return r.ErrorCode })
	}
}

// note adds an answer.
func (k *talk) note(what string, code Code) {
	k.answers = append(k.answers, fmt.Sprintf("%s: %d", what, code))
}

// ask sends a request, again as long as code says that the cluster is not ready for it.
func ask[R kmsg.Response](k *talk, req kmsg.Request, code func(R) Code) (R, Code) {
	k.t.Helper()
	for begun := time.Now(); ; time.Sleep(20 * time.Millisecond) {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		res, err := k.client.Broker(1).Request(ctx, req)
		cancel()
		if err != nil {
			k.t.Fatalf("request %d: %v", req.Key(), err)
		}
		c := code(res.(R))
		notReady := c == ConcurrentTransactions || c == UnknownTopicOrPartition || c == 6 || c == 14 || c == 15 || c == 16 // a leader or coordinator comes up
		if !notReady || time.Since(begun) > 20*time.Second {
			return res.(R), c
		}
	}
}

// once sends a request that must not be sent again when the transaction is being ended.
func once[R kmsg.Response](k *talk, req kmsg.Request) R {
	k.t.Helper()
	res, err := k.client.Broker(1).Request(context.Background(), req)
	if err != nil {
		k.t.Fatalf("request %d: %v", req.Key(), err)
	}
	return res.(R)
}

func (k *talk) initRequest(former Identity, timeout time.Duration) *kmsg.InitProducerIDRequest {
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionalID, req.TransactionTimeoutMillis = &k.id, int32(timeout.Milliseconds())
	req.ProducerID, req.ProducerEpoch = former.Producer, former.Epoch
	return req
}

// init gets an identity, and notes by how much the epoch grows after former.
func (k *talk) init(what string, former Identity) Identity {
	k.t.Helper()
	return k.initFor(what, former, time.Minute)
}

func (k *talk) initFor(what string, former Identity, timeout time.Duration) Identity {
	k.t.Helper()
	res, code := ask(k, k.initRequest(former, timeout), func(r *kmsg.InitProducerIDResponse) Code { return r.ErrorCode })
	k.note(what, code)
	return Identity{res.ProducerID, res.ProducerEpoch}
}

// fenceOnce sends one InitProducerId, and notes its code.
func (k *talk) fenceOnce(what string, former Identity) {
	k.t.Helper()
	k.note(what, once[*kmsg.InitProducerIDResponse](k, k.initRequest(former, time.Minute)).ErrorCode)
}

// produce writes one record.
func (k *talk) produce(what string, id Identity, sequence int32) {
	k.t.Helper()
	k.produceTo(what, id, sequence, 0)
}

func (k *talk) produceTo(what string, id Identity, sequence, partition int32) {
	k.t.Helper()
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis, req.TransactionID = -1, 10_000, &k.id
	t := kmsg.NewProduceRequestTopic()
	t.Topic = k.topic
	p := kmsg.NewProduceRequestTopicPartition()
	p.Partition, p.Records = partition, dataBatch(id, sequence)
	t.Partitions = append(t.Partitions, p)
	req.Topics = append(req.Topics, t)
	res, code := ask(k, req, func(r *kmsg.ProduceResponse) Code { return r.Topics[0].Partitions[0].ErrorCode })
	k.note(fmt.Sprintf("%s, at %d", what, res.Topics[0].Partitions[0].BaseOffset), code)
}

// add makes a partition part of the transaction, which version 2 does by itself.
func (k *talk) add(what string, id Identity) {
	k.t.Helper()
	if k.version >= 2 {
		return
	}
	req := kmsg.NewPtrAddPartitionsToTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch = k.id, id.Producer, id.Epoch
	req.Topics = []kmsg.AddPartitionsToTxnRequestTopic{{Topic: k.topic, Partitions: []int32{0, 1}}}
	_, code := ask(k, req, func(r *kmsg.AddPartitionsToTxnResponse) Code { return r.Topics[0].Partitions[0].ErrorCode })
	k.note(what, code)
}

// end ends the transaction, and returns the identity to go on with.
func (k *talk) end(what string, id Identity, commit bool) Identity {
	k.t.Helper()
	req := kmsg.NewPtrEndTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = k.id, id.Producer, id.Epoch, commit
	res, code := ask(k, req, func(r *kmsg.EndTxnResponse) Code { return r.ErrorCode })
	k.note(what, code)
	if k.version == 1 || code != 0 {
		return id
	}
	next := Identity{res.ProducerID, res.ProducerEpoch}
	k.answers = append(k.answers, fmt.Sprintf("  the epoch grows by %d", next.Epoch-id.Epoch))
	return next
}

// dataBatch encodes a batch of one record in a transaction.
func dataBatch(id Identity, sequence int32) []byte {
	rec := kmsg.Record{Value: []byte("value")}
	rec.Length = int32(len(rec.AppendTo(nil)) - 1)
	return sealBatch(kmsg.RecordBatch{
		PartitionLeaderEpoch: -1, Magic: 2, Attributes: transactionalBit, ProducerID: id.Producer, ProducerEpoch: id.Epoch,
		FirstSequence: sequence, NumRecords: 1, Records: rec.AppendTo(nil),
	})
}
