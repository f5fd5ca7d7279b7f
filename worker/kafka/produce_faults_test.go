package kafka

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// lossy is kfake's listener with connections that can lose answers: what was
// asked for is done, the answer never comes, and the connection breaks.
type lossy struct{ armed atomic.Int32 }

func (l *lossy) listen(network, address string) (net.Listener, error) {
	listener, err := net.Listen(network, address)
	return lossyListener{listener, l}, err
}

type lossyListener struct {
	net.Listener
	l *lossy
}

func (l lossyListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	return &lossyConn{conn, l.l}, err
}

type lossyConn struct {
	net.Conn
	l *lossy
}

func (c *lossyConn) Write(b []byte) (int, error) {
	if n := c.l.armed.Load(); n > 0 && c.l.armed.CompareAndSwap(n, n-1) {
		_ = c.Close()
		return 0, errors.New("lost by the test")
	}
	return c.Conn.Write(b)
}

func TestRetriableErrorsAreRetriedAndLoggedOnce(t *testing.T) {
	for _, fault := range []*kerr.Error{
		kerr.CorruptMessage, kerr.UnknownTopicOrPartition, kerr.LeaderNotAvailable, kerr.NotLeaderForPartition,
		kerr.RequestTimedOut, kerr.NetworkException, kerr.NotEnoughReplicas, kerr.NotEnoughReplicasAfterAppend,
		kerr.KafkaStorageError, kerr.FencedLeaderEpoch, kerr.UnknownServerError, kerr.ThrottlingQuotaExceeded,
	} {
		t.Run(fault.Message, func(t *testing.T) {
			fake := kafkatest.Fake(t)
			fake.CreateTopic("out", 2, nil)
			w := newWriting(t, fake.Addrs(), ProducerConfig{MaxBatchBytes: 5000})
			for i := range int32(50) {
				w.write(i%2, 10)
			}
			w.flush()
			faults := fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Err: fault, Count: 4})
			for i := range int32(500) {
				w.write(i%2, 50)
			}
			w.check(&fake.Cluster)
			w.expectClean()
			if faults.Hits() < 4 {
				t.Errorf("only %d requests met the fault", faults.Hits())
			}
			if n := w.log.count("will be retried"); n < 1 || n > 2 {
				t.Errorf("%d lines about it, want one for both partitions, or one for each", n)
			}
			if n := w.log.count("are written again"); n < 1 || n > 2 {
				t.Errorf("%d lines about its end", n)
			}
		})
	}
}

func TestForgottenProducersGetANewIdentity(t *testing.T) {
	for _, fault := range []*kerr.Error{
		kerr.OutOfOrderSequenceNumber, kerr.UnknownProducerID, kerr.InvalidProducerEpoch, kerr.InvalidProducerIDMapping,
	} {
		t.Run(fault.Message, func(t *testing.T) {
			fake := kafkatest.Fake(t)
			fake.CreateTopic("out", 2, nil)
			asked := fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.InitProducerID}, Count: -1, Observe: true})
			w := newWriting(t, fake.Addrs(), ProducerConfig{MaxBatchBytes: 5000})
			for i := range int32(50) {
				w.write(i%2, 10)
			}
			w.flush()
			queues := w.w.queues
			before := queues[0].producer
			fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Partitions: []int32{1}, Err: fault})
			for i := range int32(500) {
				w.write(i%2, 50)
			}
			w.check(&fake.Cluster)
			w.expectClean()
			w.p.Close()
			if queues[0].producer != before || queues[1].producer == before {
				t.Errorf("identities %+v and %+v after %+v", queues[0].producer, queues[1].producer, before)
			}
			if n := asked.Hits(); n != 2 {
				t.Errorf("%d producer ids were asked for, want 2", n)
			}
		})
	}
}

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

func TestDuplicateSequenceIsStored(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 1, nil)
	w := newWriting(t, fake.Addrs(), ProducerConfig{})
	w.write(0, 10)
	w.flush()
	// Stored, but the answer is that of a broker that has forgotten where.
	fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Err: kerr.NotEnoughReplicasAfterAppend})
	var requests int
	refusing(t, fake, func(_ kmsg.RecordBatch, res *kmsg.ProduceResponseTopicPartition) bool {
		requests++
		res.ErrorCode = kerr.DuplicateSequenceNumber.Code
		return requests == 2
	})
	n := w.write(0, 10)
	w.flush()
	w.write(0, 10)
	w.check(&fake.Cluster)
	w.expectClean()
	if got := w.acks[n]; got.offset != -1 {
		t.Errorf("acknowledged at %+v", got)
	}
}

func TestTooLargeBatchesAreSplit(t *testing.T) {
	for _, fault := range []*kerr.Error{kerr.MessageTooLarge, kerr.RecordListTooLarge} {
		t.Run(fault.Message, func(t *testing.T) {
			fake := kafkatest.Fake(t)
			fake.CreateTopic("out", 1, nil)
			w := newWriting(t, fake.Addrs(), ProducerConfig{Linger: time.Hour})
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
				expectError(t, w.errs[n], ErrTooLarge, `topic "out", partition 0`, "max.message.bytes")
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
			w := newWriting(t, fake.Addrs(), ProducerConfig{Linger: time.Hour})
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
				expectError(t, w.errs[n], nil, `topic "out", partition 0`, "refuses the record", "bad record")
			}
		})
	}
}

func TestABatchOfBadRecordsOnly(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 1, nil)
	w := newWriting(t, fake.Addrs(), ProducerConfig{Linger: time.Hour})
	refusing(t, fake, func(b kmsg.RecordBatch, res *kmsg.ProduceResponseTopicPartition) bool {
		res.ErrorCode = kerr.InvalidRecord.Code
		// One beyond the batch is nobody's.
		for i := range b.NumRecords + 1 {
			named := kmsg.NewProduceResponseTopicPartitionErrorRecord()
			named.RelativeOffset = i
			res.ErrorRecords = append(res.ErrorRecords, named)
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
		{kerr.TopicAuthorizationFailed, ErrNotAuthorized, []string{`topic "out"`, "operation Write"}},
		{kerr.ClusterAuthorizationFailed, ErrNotAuthorized, []string{`topic "out"`, "IdempotentWrite on the cluster"}},
		{kerr.UnsupportedCompressionType, nil, []string{`topic "out"`, "choose an older one"}},
		{kerr.UnsupportedForMessageFormat, nil, []string{`topic "out"`, "message.format.version"}},
		{kerr.InvalidTopicException, nil, []string{`topic "out"`, "not a valid name"}},
		{kerr.PolicyViolation, nil, []string{`topic "out"`}},
	} {
		t.Run(c.fault.Message, func(t *testing.T) {
			fake := kafkatest.Fake(t)
			fake.CreateTopic("out", 1, nil)
			w := newWriting(t, fake.Addrs(), ProducerConfig{})
			w.write(0, 10)
			w.flush()
			faults := fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Err: c.fault, Count: -1})
			w.write(0, 10)
			awaitState(t, "it is tried again", func() bool { return faults.Hits() >= 3 })
			errs := w.fatalErrors()
			if len(errs) != 1 || w.settled() != 1 {
				t.Fatalf("%d records are acknowledged, fatal: %v", w.settled(), errs)
			}
			expectError(t, errs[0], c.what, c.parts...)
			// What was wrong can be put right.
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
	w := newWriting(t, fake.Addrs(), ProducerConfig{})
	w.write(0, 10)
	w.check(&fake.Cluster)
	errs := w.fatalErrors()
	if len(errs) != 1 || faults.Hits() != 4 {
		t.Fatalf("fatal: %v after %d refusals", errs, faults.Hits())
	}
	expectError(t, errs[0], ErrNotAuthorized, "producer id", "IdempotentWrite")
}

func TestLostAnswersAndBrokenConnections(t *testing.T) {
	var loss lossy
	fake := kafkatest.Fake(t, kfake.ListenFn(loss.listen), kfake.NumBrokers(2))
	fake.CreateTopic("out", 4, nil)
	const afterwards, before = 1, 2
	var breaks atomic.Int32 // what happens to the next request
	fake.Faults.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		fake.Faults.KeepControl()
		switch breaks.Swap(0) {
		case afterwards: // it is stored, and the answer is lost
			loss.armed.Add(1)
		case before:
			return nil, errors.New("closed by the test"), true
		}
		return nil, nil, false
	})
	w := newWriting(t, fake.Addrs(), ProducerConfig{MaxBatchBytes: 2000})
	for round := range int32(12) {
		breaks.Store(round % 3)
		for i := range int32(400) {
			w.write(i%4, 20)
		}
		w.flush()
	}
	w.check(&fake.Cluster)
	w.expectClean()
	if n := w.log.count("will be retried"); n != 8 {
		t.Errorf("%d of 8 losses were met", n)
	}
}

func TestAnAnswerThatLeavesOutThePartition(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 1, nil)
	w := newWriting(t, fake.Addrs(), ProducerConfig{})
	fake.Faults.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		return req.ResponseKind(), nil, true
	})
	w.write(0, 10)
	w.check(&fake.Cluster)
	w.expectClean()
	if n := w.log.count("does not contain the partition"); n != 1 {
		t.Errorf("%d lines about it", n)
	}
}

func TestThrottledProducerWaits(t *testing.T) {
	const pause = 300 * time.Millisecond
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 1, nil)
	w := newWriting(t, fake.Addrs(), ProducerConfig{})
	var first, second time.Time
	fake.Faults.ControlKey(int16(kmsg.Produce), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		fake.Faults.KeepControl()
		if !first.IsZero() {
			second = time.Now()
			return nil, nil, false
		}
		first = time.Now()
		req := kreq.(*kmsg.ProduceRequest)
		res := req.ResponseKind().(*kmsg.ProduceResponse)
		res.ThrottleMillis = int32(pause.Milliseconds())
		topic := kmsg.NewProduceResponseTopic()
		topic.Topic = "out"
		p := kmsg.NewProduceResponseTopicPartition()
		p.ErrorCode = kerr.ThrottlingQuotaExceeded.Code
		topic.Partitions = append(topic.Partitions, p)
		res.Topics = append(res.Topics, topic)
		return res, nil, true
	})
	w.write(0, 10)
	w.check(&fake.Cluster)
	if passed := second.Sub(first); passed < pause {
		t.Errorf("sent again after %v, the broker asked for %v", passed, pause)
	}
}

func TestLeadersMoveWhileWriting(t *testing.T) {
	fake := kafkatest.Fake(t, kfake.NumBrokers(3))
	fake.CreateTopic("out", 4, nil)
	w := newWriting(t, fake.Addrs(), ProducerConfig{MaxBatchBytes: 1000})
	for round := range 8 {
		for p := range int32(4) {
			if err := fake.Faults.MoveTopicPartition("out", p, int32(round+int(p))%3); err != nil {
				t.Fatal(err)
			}
		}
		for i := range int32(400) {
			w.write(i%4, 20)
		}
		awaitState(t, "some are acknowledged", func() bool { return w.settled() > round*400 })
	}
	w.check(&fake.Cluster)
	w.expectClean()
}

func TestBrokerThatIsAwayWhileWriting(t *testing.T) {
	fake := kafkatest.Fake(t, kfake.NumBrokers(2))
	fake.CreateTopic("out", 2, nil)
	for p := range int32(2) {
		if err := fake.Faults.MoveTopicPartition("out", p, p); err != nil {
			t.Fatal(err)
		}
	}
	w := newWriting(t, fake.Addrs(), ProducerConfig{})
	for p := range int32(2) {
		w.write(p, 10)
	}
	w.flush()
	if err := fake.Faults.RemoveNode(1); err != nil {
		t.Fatal(err)
	}
	// What the other broker leads is written meanwhile.
	w.write(1, 10)
	for range 100 {
		w.write(0, 10)
	}
	awaitState(t, "the other partition is written", func() bool { return w.settled() >= 102 })
	if err := fake.Faults.MoveTopicPartition("out", 1, 0); err != nil {
		t.Fatal(err)
	}
	w.write(1, 10)
	w.check(&fake.Cluster)
	w.expectClean()
}

func TestTopicThatIsAwayForAWhile(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 1, nil)
	w := newWriting(t, fake.Addrs(), ProducerConfig{})
	w.write(0, 10)
	w.flush()
	fake.DeleteTopic("out")
	w.write(0, 10)
	awaitState(t, "it is logged", func() bool { return w.log.count("topic not found: create it") > 0 })
	if len(w.fatalErrors()) > 0 {
		t.Errorf("fatal: %v", w.fatalErrors())
	}
	fake.CreateTopic("out", 1, nil)
	w.flush()
	if n := w.settled(); n != 2 {
		t.Errorf("%d records are acknowledged", n)
	}
	if n := w.log.count("topic not found: create it"); n != 1 {
		t.Errorf("%d lines about it", n)
	}
}
