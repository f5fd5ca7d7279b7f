package engine_test

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/engine"
	"github.com/millrace-dev/millrace/worker/internal/telemetry"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

const patience = 60 * time.Second

// rig is a broker with topics "in", "out" and "dlq", and workers on it.
type rig struct {
	t       testing.TB
	cluster *kafkatest.Cluster
	cfg     config.Config
}

func newRig(t testing.TB, cluster *kafkatest.Cluster, partitions int32) *rig {
	t.Helper()
	for topic, n := range map[string]int32{"in": partitions, "out": partitions, "dlq": 2} {
		cluster.CreateTopic(topic, n, nil)
	}
	return &rig{t: t, cluster: cluster, cfg: testConfig(cluster.Addrs())}
}

func fakeRig(t testing.TB, partitions int32) (*rig, *kafkatest.FakeCluster) {
	t.Helper()
	fake := kafkatest.Fake(t)
	return newRig(t, &fake.Cluster, partitions), fake
}

func duration(d time.Duration) config.Duration { return config.Duration{Duration: d} }

func testConfig(addrs []string) config.Config {
	return config.Config{
		Name:  "test",
		Kafka: config.Kafka{BootstrapServers: addrs},
		Input: config.Input{
			Topic: "in", GroupID: "group", StartOffset: config.Earliest, IsolationLevel: config.ReadCommitted,
			SessionTimeout: duration(10 * time.Second),
		},
		Output:      config.Output{Topic: "out", Compression: config.None, Linger: duration(time.Millisecond)},
		Ordering:    config.Unordered,
		Delivery:    config.AtLeastOnce,
		Concurrency: 4,
		InFlight:    config.InFlight{Records: 2000, Bytes: 16 << 20},
		Failure: config.Failure{
			MaxAttempts: 3, Timeout: duration(10 * time.Second), OnExhausted: config.ToDeadLetter,
			Backoff:    config.Backoff{Initial: duration(time.Millisecond), Max: duration(5 * time.Millisecond)},
			DeadLetter: config.DeadLetter{Topic: "dlq"},
		},
		DrainTimeout: duration(20 * time.Second),
		Members:      1,
	}
}

// running is a worker that a test has started.
type running struct {
	t      testing.TB
	engine *engine.Engine
	// metrics are those of the engine.
	metrics *telemetry.Metrics
	log     *testLog
	stop    context.CancelFunc
	ended   chan struct{}
	err     error // valid once ended is closed
}

// start starts a worker; it is stopped at the end of the test at the latest.
func (r *rig) start(p worker.Processor, change ...func(*config.Config)) *running {
	r.t.Helper()
	cfg := r.cfg
	for _, f := range change {
		f(&cfg)
	}
	ctx, cancel := context.WithCancel(context.Background())
	w := &running{t: r.t, metrics: telemetry.NewMetrics(cfg.Input.Topic), log: newTestLog(r.t), stop: cancel, ended: make(chan struct{})}
	code, err := userCode(p)
	if err != nil {
		w.err = err
		close(w.ended)
		return w
	}
	w.engine = engine.New(cfg, code, w.metrics, telemetry.NewLoggerAt(cfg.Telemetry.LogLevel, config.LogText, w.log))
	go func() {
		defer close(w.ended)
		w.err = w.engine.Run(ctx)
	}()
	r.t.Cleanup(func() {
		cancel()
		select {
		case <-w.ended:
		case <-time.After(patience):
			r.t.Errorf("the worker did not drain: %+v", w.engine.Status())
		}
	})
	return w
}

// userCode does to a processor what worker.Run does.
func userCode(p worker.Processor) (*usercode.Code, error) {
	return usercode.Of[worker.Record, worker.Outputs, worker.Outcome](p)
}

// wait waits for the worker's end and returns its error.
func (w *running) wait() error {
	w.t.Helper()
	select {
	case <-w.ended:
		return w.err
	case <-time.After(patience):
		w.t.Fatal("the worker did not end")
		return nil
	}
}

// drain stops the worker in good order.
func (w *running) drain() {
	w.t.Helper()
	w.stop()
	if err := w.wait(); err != nil {
		w.t.Fatalf("the worker ended with: %v", err)
	}
}

// produce writes n records to "in", record i to partition i%partitions with
// key i%keys and the value i.
func (r *rig) produce(from, n, keys int) {
	r.t.Helper()
	partitions := int(r.cluster.Partitions("in"))
	records := make([]*kgo.Record, n)
	for i := range records {
		v := from + i
		records[i] = &kgo.Record{
			Topic: "in", Partition: int32(v % keys % partitions),
			Key: strconv.AppendInt(nil, int64(v%keys), 10), Value: strconv.AppendInt(nil, int64(v), 10),
		}
	}
	r.cluster.Produce(records...)
}

// values counts the values in a topic.
func (r *rig) values(topic string) map[string]int {
	r.t.Helper()
	counts := map[string]int{}
	for _, rec := range r.cluster.ConsumeAll(topic, kgo.ReadCommitted()) {
		counts[string(rec.Value)]++
	}
	return counts
}

// committed is values once no transaction is open in the topic. A coordinator answers that a
// transaction is committed before it has told the partitions.
func (r *rig) committed(topic string) map[string]int {
	r.t.Helper()
	r.eventually("no transaction is open in "+topic, func() bool {
		return maps.Equal(r.cluster.EndOffsets(topic, kgo.ReadCommitted()), r.cluster.EndOffsets(topic, kgo.ReadUncommitted()))
	})
	return r.values(topic)
}

// awaitSettled waits until the workers have settled everything in "in". With transactions
// it waits for their commit too: one that is aborted leaves its records to be processed
// again, by another worker if this one is stopped.
func (r *rig) awaitSettled(workers ...*running) {
	r.t.Helper()
	r.eventually("everything is settled", func() bool {
		ends := r.ends("in")
		for _, w := range workers {
			select {
			case <-w.ended:
				if w.err != nil {
					r.t.Fatalf("the worker ended with: %v", w.err)
				}
			default:
			}
			for _, m := range w.engine.Status().Members {
				for _, p := range m.Partitions {
					reached := p.Watermark
					if m.Transaction != nil {
						reached = min(reached, p.Committed)
					}
					if reached >= ends[p.Partition] {
						delete(ends, p.Partition)
					}
				}
			}
		}
		return len(ends) == 0
	})
}

// ends returns the end offsets of a topic's partitions.
func (r *rig) ends(topic string) map[int32]int64 {
	r.t.Helper()
	return r.cluster.EndOffsets(topic, kgo.ReadCommitted())
}

func (r *rig) eventually(what string, condition func() bool) {
	r.t.Helper()
	r.cluster.Eventually(what, condition)
}

// wantEach fails unless each value from..from+n-1 is there, once, or at least
// once if duplicates are allowed.
func wantEach(t testing.TB, got map[string]int, from, n int, duplicates bool) {
	t.Helper()
	missing, doubled := 0, 0
	for i := from; i < from+n; i++ {
		switch c := got[strconv.Itoa(i)]; {
		case c == 0:
			missing++
		case c > 1:
			doubled += c - 1
		}
	}
	if missing > 0 {
		t.Errorf("%d of %d records are lost", missing, n)
	}
	if doubled > 0 && !duplicates {
		t.Errorf("%d records are there twice", doubled)
	}
}

// identity copies a record.
var identity = worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) { return rec.Value, nil })

var errPoison = errors.New("poison")

// newTestLog returns a log whose lines are shown if the test fails.
func newTestLog(t testing.TB) *testLog {
	t.Helper()
	log := &testLog{}
	t.Cleanup(func() {
		log.mu.Lock()
		defer log.mu.Unlock()
		if t.Failed() {
			t.Logf("the worker's log:\n%s", log.buf.String())
		}
	})
	return log
}

type testLog struct {
	mu  sync.Mutex
	buf bytes.Buffer // guarded by mu
}

func (l *testLog) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// lines returns the lines of the log that hold the text.
func (l *testLog) lines(text string) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	var found []string
	for line := range strings.Lines(l.buf.String()) {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}
