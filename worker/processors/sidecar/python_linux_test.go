package sidecar_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/hack/prerequisite"
	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
	"github.com/millrace-dev/millrace/worker/processors/sidecar"
)

// pythonProgram is a program on the Python SDK, with its supervisor and processes.
type pythonProgram struct {
	*testing.T
	command *exec.Cmd
}

// startPython runs a program with two processes until the test ends.
func startPython(t *testing.T, socket, file string) *pythonProgram {
	t.Helper()
	python, err := filepath.Abs("../../../bin/sdk-python/bin/python")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(python); err != nil {
		prerequisite.Missing(t, "no Python with the SDK's requirements: run make bin/sdk-python/.installed")
	}
	p := &pythonProgram{t, exec.Command(python, file)}
	p.command.Env = append(os.Environ(), "PYTHONPATH=../../sdks/python/src", "MILLRACE_SOCKET="+socket, "MILLRACE_PROCESSES=2")
	p.command.Stderr = os.Stderr
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = p.command.Process.Kill() // its processes die with it
		_ = p.command.Wait()
	})
	return p
}

// processes returns the supervisor's children.
func (p *pythonProgram) processes() (pids []int) {
	p.Helper()
	parent := strconv.Itoa(p.command.Process.Pid)
	children, err := os.ReadFile(filepath.Join("/proc", parent, "task", parent, "children"))
	if err != nil {
		p.Fatal(err)
	}
	for pid := range strings.FieldsSeq(string(children)) {
		n, err := strconv.Atoi(pid)
		if err != nil {
			p.Fatal(err)
		}
		pids = append(pids, n)
	}
	return pids
}

// TestPythonUnderLoad: while records come, one process of a Python program is killed, another
// hangs, and a record ends each process that gets it. Both are replaced, which the metrics show.
// The other records are not lost, not charged, and in the order of their keys.
func TestPythonUnderLoad(t *testing.T) {
	const n, keys = 4000, 40
	cluster := kafkatest.Fake(t)
	for topic, partitions := range map[string]int32{"in": 2, "out": 2, "dlq": 1} {
		cluster.CreateTopic(topic, partitions, nil)
	}
	results := func(topic string) int { return len(cluster.ConsumeAll(topic, kgo.ReadCommitted())) }
	socket := filepath.Join(t.TempDir(), "s")
	metrics := prometheus.NewRegistry()
	cfg := engineConfig(cluster.Addrs())
	cfg.Failure.Timeout = config.Duration{Duration: 3 * time.Second}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() {
		ended <- worker.RunWith(ctx, cfg, func(ctx context.Context, setup worker.Setup) (worker.Processor, error) {
			p, err := sidecar.Listen(sidecar.Options{
				Socket: socket, Worker: setup.Config, Log: setup.Log, Metrics: metrics, Batch: sidecar.Batch{MaxRecords: 50},
			})
			if err != nil {
				return nil, err
			}
			return worker.Batch(p), p.Await(ctx)
		}, worker.WithLogger(testLogger(t)))
	}()
	program := startPython(t, socket, "testdata/copies.py")

	records := numbered(n, keys)
	fed := 0
	feed := func(until int) {
		cluster.Produce(records[fed:until]...)
		fed = until
	}
	cluster.Eventually("two processes", func() bool { return value(t, metrics, "millrace_sidecar_processes", "") == 2 })
	first := program.processes()
	feed(n / 4)
	signalProcess(t, first[0], syscall.SIGKILL)
	cluster.Eventually("the replacement of the process that was killed", func() bool {
		now := program.processes()
		return len(now) == 2 && !slices.Contains(now, first[0]) && value(t, metrics, "millrace_sidecar_processes", "") == 2
	})
	signalProcess(t, first[1], syscall.SIGUSR1) // it hangs at its next record
	feed(n/2 - 1)                               // up to the poison
	cluster.Eventually("the replacement of the process that hangs", func() bool {
		now := program.processes()
		return len(now) == 2 && !slices.Contains(now, first[1]) && value(t, metrics, "millrace_sidecar_processes", "") == 2
	})
	feed(n)
	cluster.Eventually("all records have results", func() bool { return results("out")+results("dlq") >= n })

	// The process that hung, and the poison's attempts; that of the kill, unless it held nothing.
	if failed := value(t, metrics, "millrace_sidecar_connections_ended_total", "Failed"); failed < 4 {
		t.Errorf("%v connections have failed, want 4 at least", failed)
	}
	stop()
	if err := <-ended; err != nil {
		t.Fatal(err)
	}
	letters := cluster.ConsumeAll("dlq", kgo.ReadCommitted())
	if len(letters) != 1 || string(letters[0].Value) != poison {
		t.Errorf("there are %d dead letters, want that of the poison", len(letters))
	}
	wantOnceInOrder(t, cluster.ConsumeAll("out", kgo.ReadCommitted()), n, keys)
}

func signalProcess(t *testing.T, pid int, signal syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(pid, signal); err != nil {
		t.Fatal(err)
	}
}

// value returns a metric, the one with a label's value if that is not "".
func value(t *testing.T, metrics prometheus.Gatherer, name, label string) float64 {
	t.Helper()
	families, err := metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, family := range families {
		for _, m := range family.GetMetric() {
			if family.GetName() == name && (label == "" || m.GetLabel()[0].GetValue() == label) {
				return m.GetGauge().GetValue() + m.GetCounter().GetValue()
			}
		}
	}
	return 0
}
