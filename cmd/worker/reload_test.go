package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// TestExpressionsChange: a worker takes changed expressions over while records pass,
// without a restart and without a rebalance. Each record has one result, all parts of
// which are of one version. Expressions that don't compile change nothing.
func TestExpressionsChange(t *testing.T) {
	for _, delivery := range []config.Delivery{config.AtLeastOnce, config.ExactlyOnce} {
		t.Run(string(delivery), func(t *testing.T) {
			t.Parallel()
			w := startWorker(t, delivery, versioned("1"))
			first := w.awaitVersion(versioned("1"), "")
			w.awaitValue("/1")
			w.change(versioned("2"))
			w.awaitVersion(versioned("2"), "")
			w.awaitValue("/2")
			w.change("filter: 'topic'")
			broken := w.awaitVersion(versioned("2"), "filter: 'topic'")
			if want := "processor.cel.filter: the result must be a bool"; !strings.Contains(broken.Expressions.Error, want) {
				t.Errorf("the error is %q, want %q", broken.Expressions.Error, want)
			}
			w.change(versioned("3"))
			last := w.awaitVersion(versioned("3"), "")
			w.awaitValue("/3")
			if first.Members[0].ID != last.Members[0].ID || first.Members[0].Generation != last.Members[0].Generation {
				t.Errorf("the member was %+v and is %+v", first.Members[0], last.Members[0])
			}
			w.end()
			w.checkResults()
		})
	}
}

// versioned returns expressions that write a version into each part of the result.
func versioned(version string) string {
	return fmt.Sprintf("key: '\"%[1]s\"'\nvalue: 'value + \"/%[1]s\"'\nheaders: {version: '\"%[1]s\"'}\n", version)
}

// process runs a worker as another process, with records that keep coming.
type process struct {
	*testing.T
	kafka   *kafkatest.FakeCluster
	file    string
	command *exec.Cmd
	address string // of /status

	stop     func() // ends the load
	stopped  chan struct{}
	running  sync.WaitGroup // the load and the reading of the log
	produced int            // valid after their end
}

func startWorker(t *testing.T, delivery config.Delivery, expressions string) *process {
	t.Helper()
	w := &process{T: t, kafka: kafkatest.Fake(t), stopped: make(chan struct{})}
	w.stop = sync.OnceFunc(func() { close(w.stopped) })
	w.kafka.CreateTopic("in", 4, nil)
	w.kafka.CreateTopic("out", 4, nil)
	dir := t.TempDir()
	w.file = filepath.Join(dir, "expressions.yaml")
	w.change(expressions)
	content := fmt.Sprintf("name: test\nkafka: {bootstrapServers: [%q]}\ninput: {topic: in}\noutput: {topic: out}\ndelivery: %s\n"+
		"processor: {celFile: %q}\ntelemetry: {listen: \"127.0.0.1:0\", logFormat: json}\n", w.kafka.Addrs()[0], delivery, w.file)
	path := filepath.Join(dir, "worker.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	w.command = exec.CommandContext(t.Context(), os.Args[0], "--config", path)
	w.command.Env = append(os.Environ(), "RUN_WORKER=1")
	log, err := w.command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := w.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // the test's context has ended, and so does the process
		w.stop()
		w.running.Wait()
	})
	w.readLog(log)
	w.running.Go(w.produce)
	return w
}

// readLog takes the address from the log, and copies the rest into the test's.
func (w *process) readLog(log io.Reader) {
	w.Helper()
	address := make(chan string, 1)
	w.running.Go(func() {
		for lines := bufio.NewScanner(log); lines.Scan(); {
			var line struct{ Msg, Address string }
			if json.Unmarshal(lines.Bytes(), &line) == nil && strings.HasPrefix(line.Msg, "serving /metrics") {
				address <- line.Address
			}
			w.Log(lines.Text())
		}
	})
	select {
	case w.address = <-address:
	case <-time.After(time.Minute):
		w.Fatal("the worker does not serve /status")
	}
}

// produce writes numbered records until the load ends.
func (w *process) produce() {
	client := w.kafka.Client(kgo.RecordPartitioner(kgo.ManualPartitioner()))
	defer client.Close()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case <-w.stopped:
			return
		case <-tick.C:
			record := &kgo.Record{Topic: "in", Partition: int32(w.produced % 4), Value: fmt.Append(nil, w.produced)}
			if err := client.ProduceSync(context.Background(), record).FirstErr(); err != nil {
				w.Errorf("produce: %v", err)
				return
			}
			w.produced++
		}
	}
}

// change replaces the file in one step, as a kubelet does.
func (w *process) change(expressions string) {
	w.Helper()
	next := w.file + ".next"
	if err := os.WriteFile(next, []byte(expressions), 0o600); err != nil {
		w.Fatal(err)
	}
	if err := os.Rename(next, w.file); err != nil {
		w.Fatal(err)
	}
}

// awaitVersion waits until /status shows the version in use, and the refused one.
func (w *process) awaitVersion(expressions, refused string) (status workerstatus.Status) {
	w.Helper()
	version := config.ExpressionsVersion([]byte(expressions))
	if refused != "" {
		refused = config.ExpressionsVersion([]byte(refused))
	}
	w.kafka.Eventually("version "+version, func() bool {
		res, err := http.Get("http://" + w.address + "/status")
		if err != nil {
			return false
		}
		defer func() { _ = res.Body.Close() }()
		status = workerstatus.Status{}
		if err := json.NewDecoder(res.Body).Decode(&status); err != nil || status.Expressions == nil {
			return false
		}
		e := status.Expressions
		return e.Version == version && e.Refused == refused && len(status.Members) == 1 && status.Members[0].State == "running"
	})
	return status
}

// awaitValue waits for a result whose value ends so.
func (w *process) awaitValue(end string) {
	w.Helper()
	client := w.kafka.Client(kgo.ConsumeTopics("out"), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.FetchIsolationLevel(kgo.ReadCommitted()))
	defer client.Close()
	w.kafka.Eventually("a result that ends with "+end, func() (found bool) {
		client.PollFetches(w.Context()).EachRecord(func(r *kgo.Record) { found = found || strings.HasSuffix(string(r.Value), end) })
		return found
	})
}

// end waits until all records are settled, and stops the worker.
func (w *process) end() {
	w.Helper()
	w.stop()
	w.kafka.Eventually("all records to be committed", func() bool {
		var committed int64
		for _, c := range w.kafka.GroupOffsets("millrace-test")["in"] {
			committed += c.Offset
		}
		var end int64
		for _, e := range w.kafka.EndOffsets("in", kgo.ReadCommitted()) {
			end += e
		}
		return end > 0 && committed == end
	})
	if err := w.command.Process.Signal(syscall.SIGTERM); err != nil {
		w.Fatal(err)
	}
	w.running.Wait()
	if err := w.command.Wait(); err != nil {
		w.Errorf("the worker ended with: %v", err)
	}
}

// checkResults checks that each record has one result of one version.
func (w *process) checkResults() {
	w.Helper()
	results := map[string]string{}
	for _, r := range w.kafka.ConsumeAll("out", kgo.ReadCommitted()) {
		id, version, _ := strings.Cut(string(r.Value), "/")
		if _, twice := results[id]; twice {
			w.Errorf("record %s has two results", id)
		}
		results[id] = version
		if string(r.Key) != version || len(r.Headers) != 1 || string(r.Headers[0].Value) != version {
			w.Errorf("record %s has value %s, key %s and headers %v", id, r.Value, r.Key, r.Headers)
		}
	}
	for i := range w.produced {
		if results[fmt.Sprint(i)] == "" {
			w.Errorf("record %d has no result", i)
		}
	}
}
