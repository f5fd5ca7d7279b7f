package produce

import (
	"errors"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// lossy is kfake's listener with connections that can lose responses: the broker
// handles the request, the response never comes, and the connection breaks.
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
			w := newWriting(t, fake.Addrs(), Config{MaxBatchBytes: 5000})
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
			if n := w.log.Count("will be retried"); n < 1 || n > 2 {
				t.Errorf("%d lines about it, want one for both partitions, or one for each", n)
			}
			if n := w.log.Count("are written again"); n < 1 || n > 2 {
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
			w := newWriting(t, fake.Addrs(), Config{MaxBatchBytes: 5000})
			for i := range int32(50) {
				w.write(i%2, 10)
			}
			w.flush()
			queues := w.w.layout.Load().queues
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

func TestDuplicateSequenceIsStored(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 1, nil)
	w := newWriting(t, fake.Addrs(), Config{})
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
	w := newWriting(t, fake.Addrs(), Config{MaxBatchBytes: 2000})
	for round := range int32(12) {
		breaks.Store(round % 3)
		for i := range int32(400) {
			w.write(i%4, 20)
		}
		w.flush()
	}
	w.check(&fake.Cluster)
	w.expectClean()
	if n := w.log.Count("will be retried"); n != 8 {
		t.Errorf("%d of 8 losses were met", n)
	}
}

func TestAnAnswerThatLeavesOutThePartition(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 1, nil)
	w := newWriting(t, fake.Addrs(), Config{})
	fake.Faults.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		return req.ResponseKind(), nil, true
	})
	w.write(0, 10)
	w.check(&fake.Cluster)
	w.expectClean()
	if n := w.log.Count("does not contain the partition"); n != 1 {
		t.Errorf("%d lines about it", n)
	}
}

func TestThrottledProducerWaits(t *testing.T) {
	const pause = 300 * time.Millisecond
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 1, nil)
	w := newWriting(t, fake.Addrs(), Config{})
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
	w := newWriting(t, fake.Addrs(), Config{MaxBatchBytes: 1000})
	for round := range 8 {
		for p := range int32(4) {
			if err := fake.Faults.MoveTopicPartition("out", p, int32(round+int(p))%3); err != nil {
				t.Fatal(err)
			}
		}
		for i := range int32(400) {
			w.write(i%4, 20)
		}
		testkit.Await(t, "some are acknowledged", func() bool { return w.settled() > round*400 })
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
	w := newWriting(t, fake.Addrs(), Config{})
	for p := range int32(2) {
		w.write(p, 10)
	}
	w.flush()
	if err := fake.Faults.RemoveNode(1); err != nil {
		t.Fatal(err)
	}
	// The records of the other broker's partitions are written.
	w.write(1, 10)
	for range 100 {
		w.write(0, 10)
	}
	testkit.Await(t, "the other partition is written", func() bool { return w.settled() >= 102 })
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
	w := newWriting(t, fake.Addrs(), Config{})
	w.write(0, 10)
	w.flush()
	fake.DeleteTopic("out")
	w.write(0, 10)
	testkit.Await(t, "it is logged", func() bool { return w.log.Count("topic not found: create it") > 0 })
	if len(w.fatalErrors()) > 0 {
		t.Errorf("fatal: %v", w.fatalErrors())
	}
	fake.CreateTopic("out", 1, nil)
	w.flush()
	if n := w.settled(); n != 2 {
		t.Errorf("%d records are acknowledged", n)
	}
	if n := w.log.Count("topic not found: create it"); n != 1 {
		t.Errorf("%d lines about it", n)
	}
}
