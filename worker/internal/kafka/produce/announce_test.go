package produce

import (
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// announcements counts the requests that make partitions part of transactions, and the
// partitions in them.
type announcements struct{ requests, partitions atomic.Int32 }

func (a *announcements) watch(fake *kafkatest.FakeCluster, code int16) {
	fake.Faults.ControlKey(int16(kmsg.AddPartitionsToTxn), func(kreq kmsg.Request) (kmsg.Response, error, bool) {
		fake.Faults.KeepControl()
		a.requests.Add(1)
		res := kreq.ResponseKind().(*kmsg.AddPartitionsToTxnResponse)
		for _, topic := range kreq.(*kmsg.AddPartitionsToTxnRequest).Topics {
			a.partitions.Add(int32(len(topic.Partitions)))
			refused := kmsg.NewAddPartitionsToTxnResponseTopic()
			refused.Topic = topic.Topic
			for _, p := range topic.Partitions {
				refusal := kmsg.NewAddPartitionsToTxnResponseTopicPartition()
				refusal.Partition, refusal.ErrorCode = p, code
				refused.Partitions = append(refused.Partitions, refusal)
			}
			res.Topics = append(res.Topics, refused)
		}
		return res, nil, code != 0
	})
}

// spreadOut starts a cluster whose brokers lead the partitions of "out" in turn.
func spreadOut(t *testing.T, brokers int) *kafkatest.FakeCluster {
	t.Helper()
	fake := kafkatest.Fake(t, kfake.NumBrokers(brokers))
	fake.CreateTopic("out", 6, nil)
	for p := range int32(6) {
		if err := fake.Faults.MoveTopicPartition("out", p, p%int32(brokers)); err != nil {
			t.Fatal(err)
		}
	}
	return fake
}

// TestFirstRecordsAreAnnounced: where the first records of a transaction go to several
// brokers, one request makes all their partitions part of it. Whether it is done changes
// nothing about the records.
func TestFirstRecordsAreAnnounced(t *testing.T) {
	for _, test := range []struct {
		name       string
		brokers    int
		code       int16
		partitions int32 // in each announcement; 0 for none
	}{
		{"three brokers", 3, 0, 6},
		{"refused", 3, kerr.InvalidTxnState.Code, 6},
		{"one broker", 1, 0, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			fake := spreadOut(t, test.brokers)
			var seen announcements
			seen.watch(fake, test.code)
			w := newTransacting(t, &fake.Cluster, "out", Config{})
			w.open()
			for n := range int32(3) {
				for partition := range int32(6) {
					w.write(partition, 10)
				}
				if n == 0 {
					w.awaitSenders()
				}
				w.p.Resume(w.session)
				w.end()
			}
			w.expectCommitted(5, 5, 11, 17)
			requests, want := seen.requests.Load(), min(test.partitions, 1)*3
			if requests != want || seen.partitions.Load() != requests*test.partitions {
				t.Errorf("%d requests with %d partitions, want %d with %d each", requests, seen.partitions.Load(), want, test.partitions)
			}
		})
	}
}

// TestAPartitionInTroubleIsNotAnnounced: a partition without a leader can't be told of the end
// of a transaction. Until it can be, the coordinator begins no other transaction, and nothing
// could be written to the other partitions.
func TestAPartitionInTroubleIsNotAnnounced(t *testing.T) {
	fake := spreadOut(t, 3)
	var seen announcements
	seen.watch(fake, 0)
	w := newTransacting(t, &fake.Cluster, "out", Config{})
	w.begin()
	for partition := range int32(6) {
		w.write(partition, 10)
	}
	w.commit()
	end := fake.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Partitions: []int32{1}, Err: kerr.NotEnoughReplicas, Count: -1,
	}).Remove
	w.write(0, 10)
	w.write(1, 10)
	testkit.Await(t, "partition 1 is in trouble", w.inTroubleNow)
	w.end()
	requests, partitions := seen.requests.Load(), seen.partitions.Load()
	for partition := range int32(6) {
		w.write(partition, 10)
	}
	w.p.Resume(w.session)
	testkit.Await(t, "the others are written", func() bool { return w.settled() == 12 })
	w.end()
	if n, of := seen.requests.Load()-requests, seen.partitions.Load()-partitions; n != 1 || of != 5 {
		t.Errorf("%d requests with %d partitions, want one with the 5 that can be written to", n, of)
	}
	end()
	w.p.Resume(w.session)
	testkit.Await(t, "all are written", func() bool { return w.settled() == 14 })
	w.commit()
	w.expectCommitted(1, 1, 7, 9)
}

// awaitSenders waits until the broker of each partition with records is known.
func (w *transacting) awaitSenders() {
	w.t.Helper()
	w.cluster.Eventually("the partitions' brokers are known", func() bool {
		for q := range w.p.directory.queues {
			q.mu.Lock()
			known := q.sender != nil
			q.mu.Unlock()
			if !known {
				return false
			}
		}
		return true
	})
}
