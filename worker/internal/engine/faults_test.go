package engine_test

import (
	"context"
	"math/rand/v2"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestFaultsLoseAndDoubleNothing has brokers answer with errors at random,
// partitions move between them and the coordinator move, while two workers work.
func TestFaultsLoseAndDoubleNothing(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	moves, chance := rand.New(rand.NewPCG(seed, 0)), rand.New(rand.NewPCG(seed, 1))
	fake := kafkatest.Fake(t, kfake.NumBrokers(3))
	r := newRig(t, &fake.Cluster, 6)
	const n = 40_000
	r.produce(0, n, 100)

	var mu sync.Mutex // guards faults and chance
	faults := 0
	for _, key := range []kmsg.Key{kmsg.Produce, kmsg.OffsetCommit, kmsg.Heartbeat, kmsg.FindCoordinator} {
		fake.Faults.ControlKey(key.Int16(), func(req kmsg.Request) (kmsg.Response, error, bool) {
			fake.Faults.KeepControl()
			mu.Lock()
			defer mu.Unlock()
			if faults >= 200 || chance.IntN(10) > 0 {
				return nil, nil, false
			}
			faults++
			return refuse(req), nil, true
		})
	}

	var seen atomic.Int64
	p := worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		seen.Add(1)
		return rec.Value, nil
	})
	workers := []*running{r.start(p), r.start(p)}
	for i := range int64(10) {
		r.eventually("the workers get on", func() bool { return seen.Load() > i*n/20 })
		for _, topic := range []string{"in", "out"} {
			if err := fake.Faults.MoveTopicPartition(topic, int32(i%6), int32(moves.IntN(3))); err != nil {
				t.Fatal(err)
			}
		}
		fake.Faults.RehashCoordinators()
	}
	r.awaitSettled(workers...)
	for _, w := range workers {
		w.drain()
	}
	wantEach(t, r.values("out"), 0, n, false)
	r.wantCommitted("group")
	mu.Lock()
	defer mu.Unlock()
	if faults == 0 {
		t.Error("no fault was injected")
	}
}

// refuse answers a request with an error that passes.
func refuse(req kmsg.Request) kmsg.Response {
	answer := req.ResponseKind()
	switch res := answer.(type) {
	case *kmsg.ProduceResponse:
		for _, t := range req.(*kmsg.ProduceRequest).Topics {
			topic := kmsg.ProduceResponseTopic{Topic: t.Topic}
			for _, p := range t.Partitions {
				topic.Partitions = append(topic.Partitions, kmsg.ProduceResponseTopicPartition{
					Partition: p.Partition, ErrorCode: kerr.NotLeaderForPartition.Code, BaseOffset: -1,
				})
			}
			res.Topics = append(res.Topics, topic)
		}
	case *kmsg.OffsetCommitResponse:
		for _, t := range req.(*kmsg.OffsetCommitRequest).Topics {
			topic := kmsg.OffsetCommitResponseTopic{Topic: t.Topic}
			for _, p := range t.Partitions {
				topic.Partitions = append(topic.Partitions, kmsg.OffsetCommitResponseTopicPartition{
					Partition: p.Partition, ErrorCode: kerr.NotCoordinator.Code,
				})
			}
			res.Topics = append(res.Topics, topic)
		}
	case *kmsg.HeartbeatResponse:
		res.ErrorCode = kerr.CoordinatorNotAvailable.Code
	case *kmsg.FindCoordinatorResponse:
		res.ErrorCode = kerr.CoordinatorNotAvailable.Code
	}
	return answer
}

const commitTurn = 1100 * time.Millisecond

// TestInFlightIsBoundedByBytes holds every record up and looks how many bytes are in
// flight.
func TestInFlightIsBoundedByBytes(t *testing.T) {
	r, _ := fakeRig(t, 2)
	const size, bound = 10_000, 200_000
	var records []*kgo.Record
	for i := range 400 {
		value := make([]byte, size)
		copy(value, strconv.Itoa(i))
		records = append(records, &kgo.Record{Topic: "in", Partition: int32(i % 2), Value: value})
	}
	r.cluster.Produce(records...)
	release := make(chan struct{})
	w := r.start(worker.Map(func(context.Context, *worker.Record) ([]byte, error) {
		<-release
		return []byte("done"), nil
	}), func(c *config.Config) { c.InFlight = config.InFlight{Records: 100_000, Bytes: bound} })
	r.eventually("both partitions have what they can get", func() bool {
		full, inFlight := 0, int64(0)
		for _, m := range w.engine.Status().Members {
			for _, p := range m.Partitions {
				if p.State == "paused" && p.InFlight.Bytes > bound/4 {
					full++
				}
				if p.InFlight.Bytes > bound/2 {
					t.Fatalf("partition %d has %d bytes in flight; it may have %d: its own %d and half of the lent part",
						p.Partition, p.InFlight.Bytes, bound/2, bound/8)
				}
				inFlight += p.InFlight.Bytes
			}
		}
		if inFlight > bound {
			t.Fatalf("%d bytes are in flight; %d may be", inFlight, bound)
		}
		return full == 2
	})
	close(release)
	r.awaitSettled(w)
	w.drain()
	if got := r.values("out")["done"]; got != 400 {
		t.Errorf("%d records out, want 400", got)
	}
}
