//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/twmb/franz-go/pkg/kgo"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/hack/e2e/cluster"
)

const (
	pythonImage = "millrace.test/python:1"
	// poison is the value of a record that ends each process of the program.
	poison = "poison"
)

// besideManifest is the part of a manifest about a program that fails now and then.
const besideManifest = `  ordering: Key
  failure:
    timeout: 3s
    maxAttempts: 2
    backoff: {initial: 100ms, max: 1s}
    deadLetter: {topic: %s}
`

// applyBeside creates the topics and the StreamProcessor of a program beside its workers, and
// waits until two processes of the program are connected.
func (s *suite) applyBeside(name, letters, sidecar string) {
	s.Helper()
	for topic, partitions := range map[string]int32{name: 4, name + "-copy": 4, letters: 1} {
		s.kafka.CreateTopic(topic, partitions, nil)
	}
	s.apply(strings.Replace(manifest(name, fmt.Sprintf(besideManifest, letters)), "processor: {cel: {}}", "processor: {sidecar: {"+sidecar+"}}", 1))
	s.awaitConditions(name, ready()...)
	s.awaitProcesses(name, 2)
}

// strike does what programs suffer, under load: one of two processes is killed, another one gets
// the signal that makes it hang, a record ends each process that gets it, and then the container
// is killed, after a look at what the worker and the operator say. It checks that no record is
// lost, that those of a key stay in order and that the record which ended processes is the only
// dead letter, which it returns.
func (s *suite) strike(name, letters string, hang syscall.Signal, look func()) *kgo.Record {
	s.Helper()
	load := s.startLoad(name, 0, 200)
	for _, signal := range []syscall.Signal{syscall.SIGKILL, hang} {
		s.replaces(name, signal)
	}
	s.kafka.Produce(&kgo.Record{Topic: name, Key: []byte("customer-1"), Value: []byte(poison)})
	s.await("the dead letter of the poison", patience, func() error {
		return wantOne(s.kafka.ConsumeAll(letters, kgo.ReadCommitted()))
	})
	s.awaitProcesses(name, 2)
	look()
	s.killProcessor(name)
	s.awaitProcesses(name, 2)
	s.awaitConditions(name, ready()...)
	written := load.stop(s)
	doubled := s.expectNumbered(name, name, name+"-copy", written)
	s.expectOrder(name + "-copy")
	found := s.kafka.ConsumeAll(letters, kgo.ReadCommitted())
	if err := wantOne(found); err != nil {
		s.Fatal(err)
	}
	s.Logf("%d records, none lost, %d of them twice", written, doubled)
	return found[0]
}

// pythonProgram hands records to a program in Python. Under load, one of its processes is killed,
// another one hangs, a record ends each process that gets it, and then its container is killed.
// No record is lost, and those of a key stay in order.
func pythonProgram(s *suite) {
	const name, letters = "python", "python-letters"
	interpreter := s.importPython()
	s.applyBeside(name, letters, fmt.Sprintf("image: %q, command: [%q, /app/copies.py], processes: 2, batch: {maxRecords: 50, linger: 20ms}", pythonImage, interpreter))
	s.strike(name, letters, syscall.SIGUSR1, func() {
		// The process that hung, and the poison: with others, alone, and in its second attempt.
		if failed := s.metric(name, `millrace_sidecar_connections_ended_total{reason="Failed"}`); failed < 3 {
			s.Errorf("%v connections have failed, want 3 at least", failed)
		}
		s.awaitConditions(name, append(ready(), condition{kind: "ProcessorFailing", status: metav1.ConditionTrue, reason: "ProcessesFail"})...)
	})
}

// importPython makes an image of this machine's Python with the SDK, imports it and returns the
// path of the interpreter in it.
func (s *suite) importPython() string {
	s.Helper()
	layer := filepath.Join(s.out, "python-layer.tar")
	out, err := exec.CommandContext(s.Context(), filepath.Join(root, "bin", "sdk-python", "bin", "python"), "python/layer.py", layer,
		filepath.Join(root, "worker", "sdks", "python", "src", "millrace"),
		filepath.Join(root, "worker", "processors", "sidecar", "testdata", "copies.py")).Output()
	if err != nil {
		s.Fatalf("make a layer with Python: %v", err)
	}
	content, err := os.ReadFile(layer)
	if err != nil {
		s.Fatal(err)
	}
	interpreter := strings.TrimSpace(string(out))
	archive := filepath.Join(s.out, "python.tar")
	if err := cluster.WriteImageOf(archive, pythonImage, content, interpreter); err != nil {
		s.Fatal(err)
	}
	if err := s.cluster.ImportImage(s.Context(), archive); err != nil {
		s.Fatal(err)
	}
	return interpreter
}

// replaces signals one of the program's processes and waits for another in its place.
func (s *suite) replaces(name string, signal syscall.Signal) {
	s.Helper()
	before := s.awaitProcesses(name, 2)
	if err := syscall.Kill(before[0], signal); err != nil {
		s.Fatal(err)
	}
	s.await(fmt.Sprintf("another process after signal %v", signal), patience, func() error {
		now := s.children(s.processor1(name))
		if len(now) != 2 || slices.Contains(now, before[0]) {
			return fmt.Errorf("the processes are %v, and were %v", now, before)
		}
		return nil
	})
	s.awaitProcesses(name, 2)
}

// awaitProcesses waits until so many processes of the program are connected to the worker, and
// returns them.
func (s *suite) awaitProcesses(name string, want int) (pids []int) {
	s.Helper()
	s.await("processes that are connected", patience, func() error {
		pids = s.children(s.processor1(name))
		if n := s.metric(name, "millrace_sidecar_processes"); int(n) != want || len(pids) != want {
			return fmt.Errorf("%v processes are connected, and %v run", n, pids)
		}
		return nil
	})
	return pids
}

// processor1 returns the first process of the processor's container, 0 if it does not run.
func (s *suite) processor1(name string) int {
	s.Helper()
	id := s.kubectl("get", "pod", s.pod(name), "-o", "jsonpath={.status.initContainerStatuses[?(@.name==\"processor\")].containerID}")
	pid, err := s.cluster.Pid(s.Context(), id)
	if err != nil {
		return 0
	}
	return pid
}

// killProcessor kills the processor's container, and waits until it runs again.
func (s *suite) killProcessor(name string) {
	s.Helper()
	if err := syscall.Kill(s.processor1(name), syscall.SIGKILL); err != nil {
		s.Fatal(err)
	}
	s.await("the restart of the processor's container", patience, func() error {
		if n := s.kubectl("get", "pod", s.pod(name), "-o", "jsonpath={.status.initContainerStatuses[?(@.name==\"processor\")].restartCount}"); n != "1" {
			return fmt.Errorf("it was restarted %s times", n)
		}
		return nil
	})
}

// children returns the children of all threads of a process, none if it does not run.
func (s *suite) children(parent int) (pids []int) {
	s.Helper()
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
	if err != nil {
		s.Fatal(err)
	}
	for _, list := range lists {
		content, err := os.ReadFile(list)
		if err != nil {
			continue // the thread has ended
		}
		for field := range strings.FieldsSeq(string(content)) {
			pid, err := strconv.Atoi(field)
			if err != nil {
				s.Fatal(err)
			}
			pids = append(pids, pid)
		}
	}
	return pids
}

// metric returns a metric of a StreamProcessor's first pod, 0 if there is none.
func (s *suite) metric(name, metric string) float64 {
	s.Helper()
	page := s.kubectl("get", "--raw", fmt.Sprintf("/api/v1/namespaces/%s/pods/%s:8080/proxy/metrics", namespace, s.pod(name)))
	for line := range strings.Lines(page) {
		series, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		// Each series has the StreamProcessor's name among its labels.
		if series == metric || sameSeries(series, metric) {
			value, err := strconv.ParseFloat(text, 64)
			if err != nil {
				s.Fatal(err)
			}
			return value
		}
	}
	return 0
}

// sameSeries reports whether a series has the name and the labels of another, and perhaps more.
func sameSeries(series, other string) bool {
	name, labels, _ := strings.Cut(strings.TrimSuffix(series, "}"), "{")
	want, wanted, _ := strings.Cut(strings.TrimSuffix(other, "}"), "{")
	return name == want && strings.Contains(labels, wanted)
}

// expectOrder fails the test if a record of a key comes behind one that was written later, other
// than as its repetition.
func (s *suite) expectOrder(topic string) {
	s.Helper()
	seen, last := map[string]bool{}, map[string]string{}
	for _, r := range s.kafka.ConsumeAll(topic, kgo.ReadCommitted()) {
		key, value := string(r.Key), string(r.Value)
		if !seen[value] && value < last[key] {
			s.Errorf("the record %s of key %s comes behind %s", value, key, last[key])
		}
		seen[value] = true
		last[key] = max(last[key], value)
	}
}

// wantOne returns an error unless the poison is the only record.
func wantOne(records []*kgo.Record) error {
	if len(records) != 1 || string(records[0].Value) != poison {
		return fmt.Errorf("there are %d dead letters, want that of the poison", len(records))
	}
	return nil
}
