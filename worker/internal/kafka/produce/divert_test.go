package produce

import (
	"bytes"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// anywhere appends the next record, which may go to any partition, and returns its
// number.
func (w *writing) anywhere() int32 {
	w.t.Helper()
	n := w.number()
	w.append(Anywhere(uint32(n)), n)
	return n
}

func (w *writing) append(to Placement, n int32) {
	w.t.Helper()
	m := &batch.Message{Value: fmt.Appendf(nil, "%d/%s", n, bytes.Repeat([]byte("x"), 100)), Timestamp: time.Now().UnixMilli()}
	if err := w.w.Append(w.t.Context(), to, m, batch.Origin{Owner: w, Index: n}); err != nil {
		w.t.Error(err)
	}
}

// numbersIn returns the numbers of the records in a partition of the topic "out".
func numbersIn(c *kafkatest.Cluster, partition int32) (found []string) {
	for _, rec := range c.ConsumeAll("out", kgo.ReadUncommitted()) {
		if rec.Partition == partition {
			number, _, _ := bytes.Cut(rec.Value, []byte("/"))
			found = append(found, string(number))
		}
	}
	return found
}

// TestQueuedRecordsMoveFromAPartitionThatIsAway has a partition refuse everything
// while two kinds of records are queued for it, in batches that hold both.
func TestQueuedRecordsMoveFromAPartitionThatIsAway(t *testing.T) {
	for _, fault := range []struct {
		name string
		err  *kerr.Error
	}{
		{"and has stored nothing", kerr.NotEnoughReplicas},
		// The broker may have stored the batch that was sent.
		{"and may have stored a batch", kerr.NotLeaderForPartition},
	} {
		t.Run(fault.name, func(t *testing.T) {
			fake := kafkatest.Fake(t)
			fake.CreateTopic("out", 4, nil)
			w := newWriting(t, fake.Addrs(), Config{
				Linger: time.Millisecond, MaxBatchBytes: 2000, DeliveryTimeout: 100 * time.Millisecond,
			})
			faults := fake.Faults.Fault(kfake.Fault{
				Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Partitions: []int32{3}, Err: fault.err, Count: -1,
			})
			w.append(Anywhere(3), w.number()) // is sent, by itself
			testkit.Await(t, "partition 3 has refused a batch", func() bool { return faults.Hits() > 0 })
			var stay []string
			for i := range int32(400) {
				n := w.number()
				if i%3 == 0 {
					w.append(At(3), n)
					stay = append(stay, fmt.Sprint(n))
				} else {
					w.w.layout.Load().queues[3].appendAnywhere(w, n)
				}
			}
			testkit.Await(t, "the records that may go anywhere are written", func() bool { return w.settled() == 401-len(stay) })
			faults.Remove()
			w.appenders = 1 << 20 // those that were moved have no order
			w.check(&fake.Cluster)
			w.expectClean()
			if got := numbersIn(&fake.Cluster, 3); fmt.Sprint(got) != fmt.Sprint(stay) {
				t.Errorf("partition 3 holds %v, want %v", got, stay)
			}
		})
	}
}

// appendAnywhere queues record n for q although it may go to other partitions, as
// Append did before q was known to fail.
func (q *partitionQueue) appendAnywhere(w *writing, n int32) {
	m := &batch.Message{Value: fmt.Appendf(nil, "%d/%s", n, bytes.Repeat([]byte("x"), 100)), Timestamp: time.Now().UnixMilli()}
	credit := int64(1 << 20)
	w.p.memory.used.Add(credit)
	if w.p.memory.budget.Acquire(w.t.Context(), credit) != nil {
		return
	}
	q.mu.Lock()
	sig, _, err := q.add(m, batch.Origin{Owner: w, Index: n, Anywhere: true}, &credit)
	q.mu.Unlock()
	w.p.memory.giveBack(credit)
	if err != nil {
		w.t.Error(err)
	}
	q.follow(sig)
}

// TestFlushWaitsForMovedRecords moves records from one queue to another between two
// looks of a flush.
func TestFlushWaitsForMovedRecords(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 2, nil)
	// The record is moved when the flush has begun long ago.
	w := newWriting(t, fake.Addrs(), Config{Linger: time.Millisecond, DeliveryTimeout: 500 * time.Millisecond})
	refused := fake.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Partitions: []int32{0}, Err: kerr.NotLeaderForPartition, Count: -1,
	})
	held := fake.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Partitions: []int32{1}, Err: kerr.RequestTimedOut, Count: -1,
	})
	w.append(Anywhere(0), w.number())
	testkit.Await(t, "partition 0 has refused it", func() bool { return refused.Hits() > 0 })
	flushed := make(chan error, 1)
	go func() { flushed <- w.p.Flush(w.t.Context()) }()
	testkit.Await(t, "partition 1 has refused it", func() bool { return held.Hits() > 0 })
	select {
	case err := <-flushed:
		t.Fatalf("the flush has ended (%v), and %d of 1 records are settled", err, w.settled())
	default:
	}
	held.Remove()
	refused.Remove()
	if err := <-flushed; err != nil || w.settled() != 1 {
		t.Errorf("flush: %v; %d of 1 records are settled", err, w.settled())
	}
}

// TestOutageMovesNothing: while no partition can be written to, records stay where
// they are.
func TestOutageMovesNothing(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 2, nil)
	w := newWriting(t, fake.Addrs(), Config{Linger: time.Millisecond, DeliveryTimeout: time.Millisecond})
	faults := fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Err: kerr.RequestTimedOut, Count: -1})
	w.write(0, 100)
	w.write(1, 100)
	testkit.Await(t, "both partitions fail", func() bool {
		queues := w.w.layout.Load().queues
		w.w.mu.Lock()
		defer w.w.mu.Unlock()
		return queues[0].failing && queues[1].failing
	})
	moves, hits := w.p.moves.Load(), faults.Hits()
	for range 10 {
		w.anywhere()
	}
	testkit.Await(t, "they were tried again", func() bool { return faults.Hits() >= hits+4 })
	if got := w.p.moves.Load(); got != moves {
		t.Errorf("%d batches were moved", got-moves)
	}
	faults.Remove()
	w.check(&fake.Cluster)
}

// TestPartitionThatGoesOnFailingIsPassedByAgain tries a partition again that still
// fails: its records move again, and later ones pass it by.
func TestPartitionThatGoesOnFailingIsPassedByAgain(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 2, nil)
	w := newWriting(t, fake.Addrs(), Config{Linger: time.Millisecond})
	faults := fake.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Partitions: []int32{1}, Err: kerr.NotEnoughReplicas, Count: -1,
	})
	w.appenders = 1 << 20 // those that were moved have no order
	for round := range 3 {
		hits := faults.Hits()
		w.append(Anywhere(1), w.number())
		testkit.Await(t, "partition 1 has refused it", func() bool { return faults.Hits() > hits })
		testkit.Await(t, "it is written to the other one", func() bool { return w.settled() == round+1 })
		if w.w.layout.Load().away == nil {
			t.Fatalf("round %d: partition 1 is not passed by", round)
		}
		w.w.retryIdle(time.Now().Add(retryIdleAfter))
		if w.w.layout.Load().away != nil {
			t.Fatalf("round %d: partition 1 is not tried again", round)
		}
	}
	faults.Remove()
	w.check(&fake.Cluster)
	w.expectClean()
}

// TestBatchThatMayBeStoredWaitsEachTime has a partition fail for longer than the
// delivery timeout. A batch that is sent to it after that waits for the timeout again,
// since moving it may write its records twice.
func TestBatchThatMayBeStoredWaitsEachTime(t *testing.T) {
	fake := kafkatest.Fake(t)
	fake.CreateTopic("out", 2, nil)
	const timeout = time.Second
	w := newWriting(t, fake.Addrs(), Config{Linger: time.Millisecond, DeliveryTimeout: timeout})
	faults := fake.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Partitions: []int32{1}, Err: kerr.NotLeaderForPartition, Count: -1,
	})
	defer faults.Remove()
	for round := range 3 {
		begun := time.Now()
		w.append(Anywhere(1), w.number())
		testkit.Await(t, "it is written to the other one", func() bool { return w.settled() == round+1 })
		if waited := time.Since(begun); waited < timeout {
			t.Errorf("round %d: the batch was moved after %v", round, waited)
		}
		w.w.retryIdle(time.Now().Add(retryIdleAfter))
	}
}

// TestRecordsMoveFromABrokerThatDoesNotAnswer has a broker break each connection that
// brings records of partition 1: queued records that were not sent move.
func TestRecordsMoveFromABrokerThatDoesNotAnswer(t *testing.T) {
	fake := kafkatest.Fake(t, kfake.NumBrokers(2))
	fake.CreateTopic("out", 2, nil)
	for partition := range int32(2) {
		if err := fake.Faults.MoveTopicPartition("out", partition, partition); err != nil {
			t.Fatal(err)
		}
	}
	var broken atomic.Bool
	var hits atomic.Int64
	broken.Store(true)
	fake.Faults.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		fake.Faults.KeepControl()
		if broken.Load() && req.(*kmsg.ProduceRequest).Topics[0].Partitions[0].Partition == 1 {
			hits.Add(1)
			return nil, errors.New("closed by the test"), true
		}
		return nil, nil, false
	})
	w := newWriting(t, fake.Addrs(), Config{Linger: time.Millisecond})
	first := w.number()
	w.append(At(1), first) // may have been stored, and stays
	testkit.Await(t, "the broker has broken a connection", func() bool { return hits.Load() > 0 })
	for range 50 {
		w.w.layout.Load().queues[1].appendAnywhere(w, w.number())
	}
	testkit.Await(t, "the records that may go anywhere are written", func() bool { return w.settled() == 50 })
	broken.Store(false)
	w.appenders = 1 << 20 // those that were moved have no order
	w.check(&fake.Cluster)
	w.expectClean()
	if got := numbersIn(&fake.Cluster, 1); fmt.Sprint(got) != fmt.Sprint([]int32{first}) {
		t.Errorf("partition 1 holds %v", got)
	}
}
