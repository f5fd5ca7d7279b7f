package produce

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// refusing answers produce requests for which answer returns true; all others
// are kfake's. answer gets the request's only batch.
func refusing(t *testing.T, fake *kafkatest.FakeCluster, answer func(b kmsg.RecordBatch, res *kmsg.ProduceResponseTopicPartition) bool) {
	t.Helper()
	fake.Faults.ControlKey(int16(kmsg.Produce), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		fake.Faults.KeepControl()
		req := kreq.(*kmsg.ProduceRequest)
		var batch kmsg.RecordBatch
		if err := batch.ReadFrom(req.Topics[0].Partitions[0].Records); err != nil {
			t.Error(err)
		}
		p := kmsg.NewProduceResponseTopicPartition()
		p.Partition, p.BaseOffset = req.Topics[0].Partitions[0].Partition, -1
		if !answer(batch, &p) {
			return nil, nil, false
		}
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic, topic.Partitions = req.Topics[0].Topic, []kmsg.ProduceResponseTopicPartition{p}
		res := req.ResponseKind().(*kmsg.ProduceResponse)
		res.Topics = append(res.Topics, topic)
		return res, nil, true
	})
}

func TestTooLargeBatchesAreSplit(t *testing.T) {
	for _, fault := range []*kerr.Error{kerr.MessageTooLarge, kerr.RecordListTooLarge} {
		t.Run(fault.Message, func(t *testing.T) {
			fake := kafkatest.Fake(t)
			fake.CreateTopic("out", 1, nil)
			w := newWriting(t, fake.Addrs(), Config{Linger: time.Hour})
			refusing(t, fake, func(b kmsg.RecordBatch, res *kmsg.ProduceResponseTopicPartition) bool {
				res.ErrorCode = fault.Code
				return b.Length > 2000
			})
			var large []int32
			for i := range 100 {
				if i%30 == 7 {
					large = append(large, w.write(0, 3000))
				}
				w.write(0, 100)
			}
			w.check(&fake.Cluster)
			if len(w.errs) != len(large) || len(w.fatal) > 0 {
				t.Errorf("refused: %v, fatal: %v", w.errs, w.fatal)
			}
			for _, n := range large {
				testkit.ExpectError(t, w.errs[n], ErrTooLarge, `topic "out", partition 0`, "max.message.bytes")
			}
		})
	}
}

func TestInvalidRecordsFailAlone(t *testing.T) {
	for name, c := range map[string]struct {
		fault *kerr.Error
		named bool
	}{
		"records are named":     {kerr.InvalidRecord, true},
		"records are not named": {kerr.InvalidRecord, false},
		"timestamps are named":  {kerr.InvalidTimestamp, true},
		"timestamps are not":    {kerr.InvalidTimestamp, false},
	} {
		t.Run(name, func(t *testing.T) {
			fake := kafkatest.Fake(t)
			fake.CreateTopic("out", 1, nil)
			w := newWriting(t, fake.Addrs(), Config{Linger: time.Hour})
			refusing(t, fake, func(b kmsg.RecordBatch, res *kmsg.ProduceResponseTopicPartition) bool {
				records, err := kfake.BatchRecords(b)
				if err != nil {
					t.Error(err)
				}
				res.ErrorCode, res.ErrorMessage = c.fault.Code, kmsg.StringPtr("the batch has bad records")
				bad := false
				for i, rec := range records {
					if strings.HasSuffix(string(rec.Value), "/xxxxx") {
						bad = true
						named := kmsg.NewProduceResponseTopicPartitionErrorRecord()
						named.RelativeOffset = int32(i)
						if i%2 == 0 {
							named.ErrorMessage = kmsg.StringPtr(fmt.Sprint("bad record ", i))
						}
						if c.named {
							res.ErrorRecords = append(res.ErrorRecords, named)
						}
					}
				}
				return bad
			})
			var bad []int32
			for i := range 100 {
				if i%13 == 0 || i == 99 || i == 1 {
					bad = append(bad, w.write(0, 5))
				}
				w.write(0, 100)
			}
			w.check(&fake.Cluster)
			if len(w.errs) != len(bad) || len(w.fatal) > 0 {
				t.Errorf("refused: %v, fatal: %v", w.errs, w.fatal)
			}
			for _, n := range bad {
				testkit.ExpectError(t, w.errs[n], nil, `topic "out", partition 0`, "refuses the record", "bad record")
			}
		})
	}
}

func TestABatchOfBadRecordsOnly(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 1, nil)
	w := newWriting(t, fake.Addrs(), Config{Linger: time.Hour})
	refusing(t, fake, func(b kmsg.RecordBatch, res *kmsg.ProduceResponseTopicPartition) bool {
		res.ErrorCode = kerr.InvalidRecord.Code
		// One beyond the batch is nobody's.
		for i := range b.NumRecords + 1 {
			named := kmsg.NewProduceResponseTopicPartitionErrorRecord()
			named.RelativeOffset = i
			res.ErrorRecords = append(res.ErrorRecords, named)
		}
		if b.NumRecords == 0 {
			t.Error("an empty batch was sent")
		}
		return b.NumRecords == 3
	})
	for range 3 {
		w.write(0, 5)
	}
	w.flush()
	w.write(0, 5)
	w.check(&fake.Cluster)
	if len(w.errs) != 3 {
		t.Errorf("refused: %v", w.errs)
	}
}

func TestFatalErrorsSayWhatToDoAndKeepTheRecords(t *testing.T) {
	for _, c := range []struct {
		fault *kerr.Error
		what  error
		parts []string
	}{
		{kerr.TopicAuthorizationFailed, kafka.ErrNotAuthorized, []string{`topic "out"`, "operation Write"}},
		{kerr.ClusterAuthorizationFailed, kafka.ErrNotAuthorized, []string{`topic "out"`, "IdempotentWrite on the cluster"}},
		{kerr.UnsupportedCompressionType, nil, []string{`topic "out"`, "choose an older one"}},
		{kerr.UnsupportedForMessageFormat, nil, []string{`topic "out"`, "message.format.version"}},
	} {
		t.Run(c.fault.Message, func(t *testing.T) {
			fake := kafkatest.Fake(t)
			fake.CreateTopic("out", 1, nil)
			w := newWriting(t, fake.Addrs(), Config{})
			w.write(0, 10)
			w.flush()
			faults := fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Err: c.fault, Count: -1})
			w.write(0, 10)
			testkit.Await(t, "it is tried again", func() bool { return faults.Hits() >= 3 })
			errs := w.fatalErrors()
			if len(errs) != 1 || w.settled() != 1 {
				t.Fatalf("%d records are acknowledged, fatal: %v", w.settled(), errs)
			}
			testkit.ExpectError(t, errs[0], c.what, c.parts...)
			// The records are written after the fault is gone.
			faults.Remove()
			w.check(&fake.Cluster)
		})
	}
}

func TestProducerIDThatIsNotGranted(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 1, nil)
	faults := fake.Faults.Fault(
		kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.CoordinatorLoadInProgress, Count: 2},
		kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Err: kerr.ClusterAuthorizationFailed, Count: 2},
	)
	w := newWriting(t, fake.Addrs(), Config{})
	w.write(0, 10)
	w.check(&fake.Cluster)
	errs := w.fatalErrors()
	if len(errs) != 1 || faults.Hits() != 4 {
		t.Fatalf("fatal: %v after %d refusals", errs, faults.Hits())
	}
	testkit.ExpectError(t, errs[0], kafka.ErrNotAuthorized, "producer id", "IdempotentWrite")
}

func TestOnAckMayAppendWhenMemoryIsUsedUp(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 2, nil)
	w := newWriting(t, fake.Addrs(), Config{MaxBatchBytes: 10_000, MaxBufferedBytes: 16 << 10})
	waiting := make(chan struct{})
	refusing(t, fake, func(b kmsg.RecordBatch, res *kmsg.ProduceResponseTopicPartition) bool {
		if res.Partition != 0 || b.Length < 8000 {
			return false
		}
		<-waiting
		res.ErrorCode = kerr.InvalidRecord.Code
		return true
	})
	w.onAck = func(a *Ack) {
		if a.Err != nil {
			w.write(1, 5000)
		}
	}
	w.write(0, 9000)
	var other sync.WaitGroup
	other.Go(func() { w.write(0, 5000) })
	testkit.Await(t, "memory is used up", func() bool { return w.p.memory.blocked.Load() == 1 })
	close(waiting)
	other.Wait()
	testkit.Await(t, "all is settled", func() bool { return w.settled() == 3 })
	w.check(&fake.Cluster)
	testkit.Await(t, "the whole budget is free", func() bool { return w.p.memory.used.Load() == 0 })
	if len(w.errs) != 1 {
		t.Errorf("refused: %v", w.errs)
	}
}
