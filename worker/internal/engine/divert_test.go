package engine_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestResultsGoRoundPartitionsThatAreAway: one output partition is away and another one
// comes and goes, while connections break and workers come and go. Each result without a
// key is written once, to another partition if need be.
func TestResultsGoRoundPartitionsThatAreAway(t *testing.T) {
	for _, ordering := range []config.Ordering{config.Key, config.Unordered} {
		t.Run(string(ordering), func(t *testing.T) { goRoundPartitions(t, ordering) })
	}
}

func goRoundPartitions(t *testing.T, ordering config.Ordering) {
	r, _ := fakeRig(t, 6)
	fake := kafkatest.Fake(t, kfake.NumBrokers(2))
	fake.CreateTopic("results", 4, nil)
	refuse := func(partition int32, when func(kmsg.Request) bool) *kfake.FaultHandle {
		return fake.Faults.Fault(kfake.Fault{
			Keys: []kmsg.Key{kmsg.Produce}, Topic: "results", Partitions: []int32{partition}, Err: kerr.NotEnoughReplicas,
			Count: -1, When: when,
		})
	}
	defer refuse(1, nil).Remove()
	defer refuse(2, func(kmsg.Request) bool { return rand.IntN(3) == 0 }).Remove()
	var over atomic.Bool
	fake.Faults.ControlKey(int16(kmsg.Produce), func(req kmsg.Request) (kmsg.Response, error, bool) {
		fake.Faults.KeepControl()
		// Results that were sent to partition 1, and may be stored there, would wait for
		// the delivery timeout.
		away := func(p kmsg.ProduceRequestTopicPartition) bool { return p.Partition == 1 }
		if over.Load() || slices.ContainsFunc(req.(*kmsg.ProduceRequest).Topics[0].Partitions, away) || rand.IntN(30) > 0 {
			return nil, nil, false
		}
		return nil, errors.New("closed by the test"), true
	})
	copies := worker.Func(func(_ context.Context, rec *worker.Record) ([]worker.Output, error) {
		if rand.IntN(200) == 0 {
			return nil, errPoison
		}
		return []worker.Output{{NullKey: true, Value: rec.Value}}, nil
	})
	change := func(c *config.Config) {
		c.Ordering, c.Failure.MaxAttempts, c.Output.Linger = ordering, 50, duration(5*time.Millisecond)
		c.Output.Topic, c.Output.Kafka = "results", &config.Kafka{BootstrapServers: fake.Addrs()}
	}
	const third = 5000
	first := r.start(copies, change)
	r.produce(0, third, 50)
	second := r.start(copies, change)
	r.produce(third, third, 50)
	output := &rig{t: t, cluster: &fake.Cluster}
	r.eventually("results are written", func() bool { return len(output.values("results")) > third/2 })
	first.drain()
	last := r.start(copies, change)
	r.produce(2*third, third, 50)
	r.awaitSettled(second, last)
	over.Store(true)
	second.drain()
	last.drain()
	wantEach(t, output.values("results"), 0, 3*third, false)
}
