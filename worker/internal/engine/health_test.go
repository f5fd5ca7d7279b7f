package engine_test

import (
	"context"
	"crypto/tls"
	"net"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/telemetry"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// alive fails the test unless the worker stays healthy for a number of stall
// timeouts, although it has work all the time.
func (w *running) alive(stall time.Duration, timeouts int, what string) {
	w.t.Helper()
	health := telemetry.NewHealth(stall, w.engine.Progress)
	worked := false
	for end := time.Now().Add(time.Duration(timeouts) * stall); time.Now().Before(end); time.Sleep(stall / 100) {
		worked = worked || w.engine.Progress().Work
		if err := health.Check(); err != nil {
			w.t.Fatalf("unhealthy, %s: %v", what, err)
		}
	}
	if !worked {
		w.t.Errorf("there was no work, %s", what)
	}
}

// TestHealthOfLongRecords: an attempt or a wait that ends by itself is no stall, however
// long it takes.
func TestHealthOfLongRecords(t *testing.T) {
	for what, process := range map[string]func(context.Context) error{
		"an attempt runs":              func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() },
		"a record waits for its retry": func(context.Context) error { return errPoison },
	} {
		t.Run(what, func(t *testing.T) {
			r, _ := fakeRig(t, 1)
			var begun atomic.Bool
			w := r.start(worker.Map(func(ctx context.Context, _ *worker.Record) ([]byte, error) {
				begun.Store(true)
				return nil, process(ctx)
			}), func(c *config.Config) {
				c.Failure.Timeout = duration(time.Hour)
				c.Failure.Backoff = config.Backoff{Initial: duration(time.Hour), Max: duration(time.Hour)}
				c.DrainTimeout = duration(time.Second)
			})
			r.produce(0, 1, 1)
			r.eventually("the attempt has begun", begun.Load)
			r.eventually("there is work", func() bool { return w.engine.Progress().Work })
			w.alive(200*time.Millisecond, 5, what)
		})
	}
}

// TestHangingRecordIsUsedUpWithoutARestart: with a stall timeout as it follows from
// the policy, the attempts of a record that hangs go on to the dead-letter topic.
func TestHangingRecordIsUsedUpWithoutARestart(t *testing.T) {
	r, _ := fakeRig(t, 1)
	const timeout = 2 * time.Second
	w := r.start(worker.Map(func(ctx context.Context, _ *worker.Record) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}), func(c *config.Config) { c.Failure.Timeout = duration(timeout) })
	r.produce(0, 1, 1)
	r.eventually("there is work", func() bool { return w.engine.Progress().Work })
	health := telemetry.NewHealth(2*timeout, w.engine.Progress)
	r.eventually("the record is dead-lettered", func() bool {
		if err := health.Check(); err != nil {
			t.Fatalf("unhealthy: %v", err)
		}
		return w.engine.Status().Totals.RecordsDeadLettered == 1
	})
	w.drain()
}

// hangs is a processor that copies records and never comes back from the report of
// an outcome.
type hangs struct {
	worker.Processor
	released chan struct{}
}

func (h hangs) Observe(*worker.Outcome) { <-h.released }

// TestHealthOfAStalledWorker: it is a stall when there is work, nothing runs, nothing
// waits and no stage sends requests to Kafka.
func TestHealthOfAStalledWorker(t *testing.T) {
	r, _ := fakeRig(t, 1)
	released := make(chan struct{})
	w := r.start(hangs{identity, released})
	t.Cleanup(func() { close(released) }) // before the worker is waited for
	r.produce(0, 1, 1)
	r.eventually("there is work", func() bool { return w.engine.Progress().Work })
	health := telemetry.NewHealth(time.Second, w.engine.Progress)
	r.eventually("the stall is noticed", func() bool {
		err := health.Check()
		return err != nil && strings.Contains(err.Error(), "partition 0 waits for offset 0")
	})
}

// TestHealthWithoutKafka: a worker that has records in flight and in the log stays
// healthy while no broker answers, and goes on afterwards.
func TestHealthWithoutKafka(t *testing.T) {
	t.Run("kfake", func(t *testing.T) {
		dir := kfake.DataDir(t.TempDir())
		fake := kafkatest.Fake(t, dir)
		port := portOf(t, fake.Addrs()[0])
		outage(t, &fake.Cluster, fake.Faults.Close, func() { kafkatest.Fake(t, dir, kfake.Ports(port)) })
	})
	t.Run("Apache", func(t *testing.T) {
		broker := kafkatest.Apache(t)
		outage(t, &broker.Cluster, broker.Kill, broker.Start)
	})
}

func outage(t *testing.T, cluster *kafkatest.Cluster, down, up func()) {
	r := newRig(t, cluster, 2)
	const n = 2000
	release := make(chan struct{})
	w := r.start(worker.Map(func(_ context.Context, rec *worker.Record) ([]byte, error) {
		<-release
		return rec.Value, nil
	}), func(c *config.Config) { c.InFlight.Records = 100 })
	r.produce(0, n, 10)
	r.eventually("records are in flight", func() bool { return w.engine.Status().Members[0].InFlight.Records > 50 })
	down()
	close(release)
	r.eventually("records wait to be written", func() bool {
		p := w.engine.Progress()
		return p.Work && !p.Waits
	})
	w.alive(5*time.Second, 2, "without Kafka")
	up()
	r.awaitSettled(w)
	w.drain()
	// The outage may have cost the membership, and then some records are repeated.
	wantEach(t, r.values("out"), 0, n, true)
}

func portOf(t *testing.T, address string) int {
	t.Helper()
	_, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Fatal(err)
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		t.Fatal(err)
	}
	return number
}

// TestUnreachableKafkaIsWaitedFor: a worker that is started before its broker reports
// that it waits for Kafka, stays healthy, and works as soon as the broker is there.
func TestUnreachableKafkaIsWaitedFor(t *testing.T) {
	address := kafkatest.UnusedAddr(t)
	r := &rig{t: t, cfg: testConfig([]string{address})}
	w := r.start(identity)
	early := r.start(identity)
	for _, w := range []*running{w, early} {
		await(t, "the worker says what it waits for", func() bool {
			err := w.engine.Ready()
			return strings.Contains(w.engine.Status().Waiting, address) &&
				err != nil && strings.Contains(err.Error(), "waiting for Kafka") && strings.Contains(err.Error(), address)
		})
		if w.engine.Progress().Work {
			t.Error("a worker without Kafka has work, and may be taken for stalled")
		}
	}
	early.drain()
	fake := kafkatest.Fake(t, kfake.Ports(portOf(t, address)), kfake.SeedTopics(1, "in", "out", "dlq"))
	r.cluster = &fake.Cluster
	r.produce(0, 10, 1)
	r.awaitSettled(w)
	if status := w.engine.Status(); status.Waiting != "" || w.engine.Ready() != nil {
		t.Errorf("the status is waiting for %q, and Ready returns %v", status.Waiting, w.engine.Ready())
	}
	w.drain()
}

func await(t *testing.T, what string, condition func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !condition(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// TestWhatWaitingCannotHelpEndsTheWorker: a worker does not wait for a broker whose
// certificate it does not trust.
func TestWhatWaitingCannotHelpEndsTheWorker(t *testing.T) {
	pair := kafkatest.NewCA(t).Server("localhost")
	cert, err := tls.LoadX509KeyPair(pair.CertFile, pair.KeyFile)
	if err != nil {
		t.Fatal(err)
	}
	fake := kafkatest.Fake(t, kfake.TLS(&tls.Config{Certificates: []tls.Certificate{cert}}))
	r := &rig{t: t, cfg: testConfig(fake.Addrs())}
	err = r.start(identity, func(c *config.Config) {
		c.Kafka.TLS = &config.TLS{CAFiles: []string{kafkatest.NewCA(t).File}, ServerName: "localhost"}
	}).wait()
	if err == nil || !strings.Contains(err.Error(), fake.Addrs()[0]) || !strings.Contains(err.Error(), "CA file") {
		t.Errorf("with another CA: %v; want an error that names the address and the CA file", err)
	}
}

// TestHealthUnderAnOpenTransaction: records that an open transaction holds back are no
// work.
func TestHealthUnderAnOpenTransaction(t *testing.T) {
	r, _ := fakeRig(t, 1)
	txn := r.cluster.Begin("hanging")
	txn.Produce(&kgo.Record{Topic: "in", Value: []byte("0")})
	w := r.start(identity)
	r.eventually("the lag is seen", func() bool { return owned(w) == 1 && w.partition(0).Lag == 1 })
	if w.engine.Progress().Work {
		t.Error("records that the transaction holds back count as work")
	}
	txn.Commit()
	r.awaitSettled(w)
	w.drain()
}
