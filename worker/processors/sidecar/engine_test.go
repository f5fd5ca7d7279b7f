package sidecar_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"github.com/go-logr/logr/funcr"
	"github.com/go-logr/logr/testr"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
	"github.com/millrace-dev/millrace/worker/processors/sidecar"
	"github.com/millrace-dev/millrace/worker/sdks/protocol/protocoltest"
	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// socketVariable makes the test binary a process of a processor.
const socketVariable = "MILLRACE_SOCKET"

func TestMain(m *testing.M) {
	if socket := os.Getenv(socketVariable); socket != "" {
		if err := serveEchoes(socket); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// poison is the value of a record that a process never survives.
const poison = "poison"

// serveEchoes is a process that writes each record's value back, until its worker ends.
func serveEchoes(socket string) error {
	p, err := protocoltest.Connect(socket, &protocoltest.ProcessHello{
		MinVersion: 1, MaxVersion: 1, SDK: "echo", PID: int64(os.Getpid()), BatchCredit: 3, MaxRecords: 20,
	})
	if err != nil {
		return err
	}
	for {
		f, err := p.Receive()
		switch {
		case err != nil:
			return err
		case f.Close != nil:
			return nil
		case f.Batch != nil:
			if err := p.Send(echoOf(f.Batch)); err != nil {
				return err
			}
			if err := p.Send(&protocoltest.ProcessFrame{Credit: &protocoltest.BatchCredit{Batches: 1}}); err != nil {
				return err
			}
		}
	}
}

func echoOf(b *protocoltest.Batch) *protocoltest.ProcessFrame {
	results := &protocoltest.Results{Batch: b.ID}
	for i, rec := range b.Records {
		if string(rec.Value) == poison {
			os.Exit(3)
		}
		time.Sleep(time.Millisecond) // the work, so that processes are killed in the middle of it
		results.Results = append(results.Results, protocoltest.Result{Index: uint32(i), Outputs: []protocoltest.Output{{SameKey: true, SameValue: true}}})
	}
	return &protocoltest.ProcessFrame{Results: results}
}

// crew are processes that are killed at random, and started again.
type crew struct {
	running sync.WaitGroup
	ended   atomic.Int32 // processes
}

// start keeps a process running until ctx ends. It kills it now and then, if kills is true.
func (c *crew) start(ctx context.Context, socket string, kills func() bool) {
	c.running.Go(func() {
		for ctx.Err() == nil {
			lifetime, cancel := context.WithCancel(ctx)
			if kills() {
				lifetime, cancel = context.WithTimeout(ctx, time.Duration(30+rand.IntN(120))*time.Millisecond)
			}
			cmd := exec.CommandContext(lifetime, os.Args[0])
			cmd.Env = append(os.Environ(), socketVariable+"="+socket)
			_ = cmd.Run() // it is killed, or dies of poison
			c.ended.Add(1)
			cancel()
		}
	})
}

// TestThroughTheEngine: two processes are killed again and again while a worker runs, and one
// record kills whichever gets it. No other record is lost, none is charged for the others,
// and each key's results are in its order.
func TestThroughTheEngine(t *testing.T) {
	const n, keys = 3000, 40
	cluster := kafkatest.Fake(t)
	for topic, partitions := range map[string]int32{"in": 2, "out": 2, "dlq": 1} {
		cluster.CreateTopic(topic, partitions, nil)
	}
	cluster.Produce(numbered(n, keys)...)
	socket := t.TempDir() + "/s"
	ctx, stop := context.WithCancel(t.Context())
	crew := &crew{}
	t.Cleanup(crew.running.Wait)
	t.Cleanup(stop)
	for range 2 {
		crew.start(ctx, socket, func() bool { return crew.ended.Load() < 30 })
	}
	ended := make(chan error, 1)
	build := builder(socket)
	address := make(chan string, 1)
	log := funcr.NewJSON(func(line string) {
		if _, rest, ok := strings.Cut(line, `"address":"`); ok {
			at, _, _ := strings.Cut(rest, `"`)
			address <- at
		}
		t.Log(line)
	}, funcr.Options{})
	go func() { ended <- worker.RunWith(ctx, engineConfig(cluster.Addrs()), build, worker.WithLogger(log)) }()
	cluster.Eventually("all records have results", func() bool {
		return len(cluster.ConsumeAll("out", kgo.ReadCommitted()))+len(cluster.ConsumeAll("dlq", kgo.ReadCommitted())) >= n
	})
	if s := statusAt(t, <-address); s.Processes == nil || s.Processes.Failed == 0 || s.Processes.FailedRecently == 0 || s.Processes.LastError == "" {
		t.Errorf("/status has the processes %+v", s.Processes)
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	if ended := crew.ended.Load(); ended < 10 {
		t.Errorf("%d processes have ended, which is too few for this test", ended)
	}
	letters := cluster.ConsumeAll("dlq", kgo.ReadCommitted())
	if len(letters) != 1 || string(letters[0].Value) != poison {
		t.Errorf("there are %d dead letters, want that of the poison", len(letters))
	}
	wantOnceInOrder(t, cluster.ConsumeAll("out", kgo.ReadCommitted()), n, keys)
}

// statusAt returns what a worker serves at /status.
func statusAt(t *testing.T, address string) (s workerstatus.Status) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+address+"/status?troubled", nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	if err := json.NewDecoder(res.Body).Decode(&s); err != nil {
		t.Fatal(err)
	}
	return s
}

func numbered(n, keys int) []*kgo.Record {
	var records []*kgo.Record
	for i := range n {
		value := strconv.Itoa(i)
		if i == n/2 {
			value = poison
		}
		records = append(records, &kgo.Record{Topic: "in", Partition: int32(i % keys % 2), Key: []byte(strconv.Itoa(i % keys)), Value: []byte(value)})
	}
	return records
}

func wantOnceInOrder(t *testing.T, out []*kgo.Record, n, keys int) {
	t.Helper()
	seen, last := map[int]bool{}, map[string]int{}
	for _, rec := range out {
		v, err := strconv.Atoi(string(rec.Value))
		if err != nil || seen[v] {
			t.Fatalf("a result is %q, which is there twice or no number", rec.Value)
		}
		if before, ok := last[string(rec.Key)]; ok && v < before {
			t.Errorf("the result %d of key %s comes after %d", v, rec.Key, before)
		}
		seen[v], last[string(rec.Key)] = true, v
	}
	if len(seen) != n-1 || len(last) != keys {
		t.Errorf("there are %d results of %d keys, want %d of %d", len(seen), len(last), n-1, keys)
	}
}

func builder(socket string) worker.New {
	return func(ctx context.Context, setup worker.Setup) (worker.Processor, error) {
		p, err := sidecar.Listen(sidecar.Options{Socket: socket, Worker: setup.Config, Log: setup.Log})
		if err != nil {
			return nil, err
		}
		return worker.Batch(p), p.Await(ctx)
	}
}

func engineConfig(addrs []string) config.Config {
	ms := func(n int) config.Duration { return config.Duration{Duration: time.Duration(n) * time.Millisecond} }
	return config.Config{
		Name: "test", Kafka: config.Kafka{BootstrapServers: addrs},
		Input:    config.Input{Topic: "in", GroupID: "group", StartOffset: config.Earliest},
		Output:   config.Output{Topic: "out"},
		Ordering: config.Key, Concurrency: 8,
		Failure: config.Failure{
			MaxAttempts: 3, OnExhausted: config.ToDeadLetter, DeadLetter: config.DeadLetter{Topic: "dlq"},
			Backoff: config.Backoff{Initial: ms(1), Max: ms(20)},
		},
		DrainTimeout: ms(5000),
		Telemetry:    config.Telemetry{Listen: "127.0.0.1:0"},
	}
}

func testLogger(t *testing.T) logr.Logger { return testr.New(t) }
