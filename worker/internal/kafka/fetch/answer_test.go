package fetch

import (
	"encoding/binary"
	"errors"
	"slices"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch/batchtest"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// answering makes a broker answer fetches of partition 0 with what a function
// returns for the asked offset and limit.
func answering(t *testing.T, answer func(p kmsg.FetchRequestTopicPartition) []byte) *reader {
	t.Helper()
	fake := kafkatest.Fake(t)
	fake.CreateTopic("orders", 1, nil)
	for range 16 { // the broker refuses offsets that its log does not have
		fake.Produce(&kgo.Record{Topic: "orders"})
	}
	fake.Faults.ControlKey(int16(kmsg.Fetch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		fake.Faults.KeepControl()
		req := kreq.(*kmsg.FetchRequest)
		res := req.ResponseKind().(*kmsg.FetchResponse)
		p := kmsg.NewFetchResponseTopicPartition()
		p.HighWatermark, p.LastStableOffset = 1<<40, 1<<40
		p.RecordBatches = answer(req.Topics[0].Partitions[0])
		topic := kmsg.NewFetchResponseTopic()
		topic.Topic, topic.Partitions = "orders", append(topic.Partitions, p)
		res.Topics = append(res.Topics, topic)
		return res, nil, true
	})
	return newReader(t, fake.Addrs(), Config{Topic: "orders", MaxPartitionBytes: 1 << 10})
}

func TestFirstBatchThatIsCutIsAskedForWithAHigherLimit(t *testing.T) {
	log := slices.Concat(batchtest.Spec{Records: batchtest.Values("small")}.Encode(), batchtest.Spec{Base: 1, Records: batchtest.Values(string(make([]byte, 100_000)))}.Encode(),
		batchtest.Spec{Base: 2, Records: batchtest.Values("small")}.Encode())
	starts := []int{0, len(batchtest.Spec{Records: batchtest.Values("small")}.Encode())}
	var limits []int32
	r := answering(t, func(p kmsg.FetchRequestTopicPartition) []byte {
		limits = append(limits, p.PartitionMaxBytes)
		rest := log[starts[min(int(p.FetchOffset), 1)]:]
		return rest[:min(int(p.PartitionMaxBytes), len(rest))]
	})
	r.noAsk = true
	r.start(0, 0)
	r.reads(map[int32]int64{0: 1})
	r.f.Ask(0)
	r.reads(map[int32]int64{0: 2})
	r.f.Close()
	if len(limits) < 3 || limits[0] > 64<<10 || limits[len(limits)-1] < 100_000 {
		t.Errorf("asked with the limits %v", limits)
	}
	if got := r.got[0]; len(got) < 2 || len(got[1].Value) != 100_000 {
		t.Errorf("got %d records", len(got))
	}
}

func TestFirstBatchThatStaysCutIsCorrupt(t *testing.T) {
	whole := batchtest.Spec{Records: batchtest.Values("a value of some length")}.Encode()
	for _, n := range []int{5, 30, len(whole) - 1} {
		r := answering(t, func(kmsg.FetchRequestTopicPartition) []byte { return whole[:n] })
		r.start(0, 0)
		r.until("the error", func() bool { return r.errs[0] != nil })
		if _, ok := errors.AsType[*batch.CorruptError](r.errs[0]); !ok {
			t.Errorf("%d of %d bytes: got %v", n, len(whole), r.errs[0])
		}
		r.f.Close()
	}
}

func TestUnreadableLogEndsThePartition(t *testing.T) {
	good := batchtest.Spec{Records: batchtest.Values("good")}.Encode()
	const atMagic = 16
	legacy := slices.Clone(good)
	binary.BigEndian.PutUint64(legacy, 1)
	legacy[atMagic] = 1
	lying := slices.Clone(legacy)
	lying[atMagic] = 2
	binary.BigEndian.PutUint32(lying[8:], 7)
	for name, bad := range map[string][]byte{"legacy": legacy, "lying length": lying} {
		t.Run(name, func(t *testing.T) {
			asked := 0
			r := answering(t, func(kmsg.FetchRequestTopicPartition) []byte {
				asked++
				return slices.Concat(good, bad, good)
			})
			r.start(0, 0)
			r.until("the error", func() bool { return r.errs[0] != nil })
			if r.next[0] != 1 || len(r.got[0]) != 1 {
				t.Errorf("read up to %d in front of %v", r.next[0], r.errs[0])
			}
			r.f.Ask(0)
			testkit.Await(t, "no request is under way", func() bool { return r.f.busyPollers() == 0 })
			r.f.Close()
			if asked != 1 {
				t.Errorf("asked %d times", asked)
			}
		})
	}
}

func TestRecordsBelowTheAskedOffsetAreNoProgress(t *testing.T) {
	asked := 0
	r := answering(t, func(p kmsg.FetchRequestTopicPartition) []byte {
		if asked++; asked <= 2 {
			return batchtest.Spec{Base: 3, Records: batchtest.Values("old")}.Encode()
		}
		return batchtest.Spec{Base: p.FetchOffset, Records: batchtest.Values("new")}.Encode()
	})
	r.noAsk = true
	r.start(0, 10)
	r.reads(map[int32]int64{0: 11})
	if n := r.log.Count(errBelowOffset.Error()); n != 1 {
		t.Errorf("%d lines about it: %q", n, r.log.Lines())
	}
}

func TestOtherPartitionsAndTopicsInAnAnswerAreIgnored(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("orders", 1, nil)
	batch := batchtest.Spec{Records: batchtest.Values("a")}.Encode()
	fake.Faults.ControlKey(int16(kmsg.Fetch), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		res := kreq.(*kmsg.FetchRequest).ResponseKind().(*kmsg.FetchResponse)
		for _, name := range []string{"others", "orders"} {
			topic := kmsg.NewFetchResponseTopic()
			topic.Topic = name
			for _, partition := range []int32{7, 0, 0} {
				p := kmsg.NewFetchResponseTopicPartition()
				p.Partition, p.RecordBatches, p.HighWatermark, p.LastStableOffset = partition, batch, 1, 1
				topic.Partitions = append(topic.Partitions, p)
			}
			res.Topics = append(res.Topics, topic)
		}
		return res, nil, true
	})
	r := newReader(t, fake.Addrs(), Config{Topic: "orders"})
	r.start(0, 0)
	r.reads(map[int32]int64{0: 1})
	if len(r.got[0]) != 1 || len(r.got) != 1 {
		t.Errorf("got %v", r.got)
	}
}
