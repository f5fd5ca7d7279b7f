package produce

import (
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// disturbance makes kfake's answers to produce requests go wrong at random.
type disturbance struct {
	fake *kafkatest.FakeCluster
	loss *lossy

	mu     sync.Mutex
	random *rand.Rand // guarded by mu
	over   bool       // guarded by mu
}

// roll returns a number below n, or n when the disturbance is over.
func (tr *disturbance) roll(n int) int {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if tr.over {
		return n
	}
	return tr.random.IntN(n)
}

func (tr *disturbance) end() {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	tr.over = true
}

// loseAnswers makes one in a few requests fail before or after they are stored,
// or come late.
func (tr *disturbance) loseAnswers() {
	tr.fake.Faults.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		tr.fake.Faults.KeepControl()
		switch tr.roll(50) {
		case 0:
			tr.loss.armed.Add(1)
		case 1:
			return nil, errors.New("closed by the test"), true
		case 2, 3:
			tr.fake.Faults.SleepControl(func() {
				<-time.After(time.Duration(tr.roll(20)) * time.Millisecond)
			})
		}
		return nil, nil, false
	})
}

// fail makes kfake answer some batches with one of the codes.
func (tr *disturbance) fail(codes ...*kerr.Error) {
	for i, code := range codes {
		tr.fake.Faults.Fault(kfake.Fault{
			Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Partitions: []int32{int32(i % 6)}, Err: code, Count: -1,
			When: func(kmsg.Request) bool { return tr.roll(50) == 0 },
		})
	}
}

func TestProducerUnderFire(t *testing.T) {
	t.Run("lost answers and retries", func(t *testing.T) {
		underFire(t, func(tr *disturbance) {
			tr.loseAnswers()
			tr.fail(
				kerr.NotLeaderForPartition, kerr.NotEnoughReplicas, kerr.NotEnoughReplicasAfterAppend, kerr.RequestTimedOut,
				kerr.UnknownTopicOrPartition, kerr.KafkaStorageError, kerr.CorruptMessage, kerr.UnknownServerError,
			)
		})
	})
	// These are true only of a batch that was not stored before.
	t.Run("refusals", func(t *testing.T) {
		underFire(t, func(tr *disturbance) {
			tr.fail(
				kerr.MessageTooLarge, kerr.InvalidProducerEpoch, kerr.OutOfOrderSequenceNumber, kerr.NotLeaderForPartition,
				kerr.InvalidRecord, kerr.UnknownProducerID, kerr.NotEnoughReplicas, kerr.RecordListTooLarge,
			)
		})
	})
}

func underFire(t *testing.T, start func(*disturbance)) {
	t.Helper()
	const partitions, appenders, each = 6, 8, 1500
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	var loss lossy
	fake := kafkatest.Fake(t, kfake.NumBrokers(3), kfake.ListenFn(loss.listen))
	fake.CreateTopic("out", partitions, nil)
	codecs := []config.Compression{config.None, config.LZ4, config.Zstd, config.Snappy}
	w := newWriting(t, fake.Addrs(), Config{
		MaxBatchBytes: 1000 + random.IntN(4000), MaxBufferedBytes: 128 << 10, Linger: time.Duration(random.IntN(4)) * time.Millisecond,
		Compression: codecs[random.IntN(len(codecs))],
	})
	w.appenders, w.next, w.loose = appenders, appenders*each, 2
	tr := &disturbance{fake: fake, loss: &loss, random: rand.New(rand.NewPCG(seed, 1))}
	start(tr)
	var all sync.WaitGroup
	for a := range int32(appenders) {
		dice := rand.New(rand.NewPCG(seed, uint64(a)+2))
		all.Go(func() {
			for i := range int32(each) {
				to := At(dice.Uint32N(partitions))
				if a < w.loose {
					to = Anywhere(to.n)
				}
				w.writeTo(to, a+i*appenders, dice.IntN(400))
				if dice.IntN(1000) == 0 {
					w.flush()
				}
			}
		})
	}
	moved := make(chan struct{})
	go func() {
		defer close(moved)
		for tr.roll(1) == 0 {
			if err := fake.Faults.MoveTopicPartition("out", random.Int32N(partitions), random.Int32N(3)); err != nil {
				t.Error(err)
			}
			<-time.After(200 * time.Millisecond)
		}
	}()
	all.Wait()
	tr.end()
	<-moved
	loss.armed.Store(0)
	w.check(&fake.Cluster)
	if len(w.fatal) > 0 || t.Failed() {
		t.Errorf("seed %d: fatal: %v", seed, w.fatal)
	}
}
