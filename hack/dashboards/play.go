package main

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/millrace-dev/millrace/hack/chaos/process"
)

// processor is a StreamProcessor of the play. Its input topic has its name.
type processor struct {
	name       string
	partitions int32 // 0: the topic does not exist
	unreached  bool  // no broker listens at its address
	perSecond  float64
	spec       string // further fields, at the level of spec
}

// processors are those that work, and those that need attention.
var processors = []processor{
	{name: "orders", partitions: 6, perSecond: 1500, spec: "  replicas: 2\n" + large + deadLetters("orders")},
	{name: "payments", partitions: 4, perSecond: 300, spec: "  replicas: 1\n  delivery: ExactlyOnce\n" + large + deadLetters("payments")},
	{name: "labels", partitions: 1, perSecond: 200, spec: "  replicas: 3\n" + large + deadLetters("labels")},
	{name: "invoices", spec: "  replicas: 1\n  processor: {cel: {}}\n"},
	{name: "archive", partitions: 1, unreached: true, spec: "  replicas: 1\n  processor: {cel: {}}\n"},
}

const large = "  processor: {cel: {filter: json.total >= 100, key: json.customer}}\n"

func deadLetters(name string) string {
	return fmt.Sprintf("  failure: {onExhausted: DeadLetter, deadLetter: {topic: %s-dlq}}\n", name)
}

func (p processor) manifest(brokers []string) string {
	if p.unreached {
		brokers = []string{"127.0.0.1:1"}
	}
	return fmt.Sprintf(`apiVersion: millrace.dev/v1alpha1
kind: StreamProcessor
metadata: {name: %s, namespace: %s}
spec:
  kafka: {bootstrapServers: [%s]}
  input: {topic: %[1]s}
  output: {topic: %[1]s-done}
%[4]s`, p.name, namespace, strings.Join(brokers, ", "), p.spec)
}

func (p processor) object(brokers []string) (*unstructured.Unstructured, error) {
	u := &unstructured.Unstructured{}
	err := yaml.Unmarshal([]byte(p.manifest(brokers)), &u.Object)
	return u, err
}

// worker is a process that works for a part of the play.
type worker struct {
	pod, processor string
	from, to       float64 // in shares of the play
}

var workers = []worker{
	{"orders-worker-1", "orders", 0.06, 1},
	{"orders-worker-2", "orders", 0.3, 0.8},
	{"payments-worker-1", "payments", 0.03, 0.5},
	{"payments-worker-2", "payments", 0.6, 1},
	{"labels-worker-1", "labels", 0.03, 1},
}

// play lets records flow, and starts and stops workers.
func (s *stage) play(ctx context.Context, length time.Duration) error {
	producing, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	failed := make(chan error, len(processors))
	for _, p := range processors {
		if p.perSecond > 0 {
			go func() { failed <- s.produce(producing, p, length) }()
		}
	}
	running := map[string]*process.Process{}
	begin := time.Now()
	for tick := time.NewTicker(time.Second); ; {
		if err := s.turn(ctx, running, float64(time.Since(begin))/float64(length)); err != nil {
			return err
		}
		select {
		case err := <-failed:
			if err != nil {
				return err
			}
		case <-tick.C:
		case <-producing.Done():
			return ctx.Err()
		}
	}
}

// turn starts and stops the workers whose time has come.
func (s *stage) turn(ctx context.Context, running map[string]*process.Process, at float64) error {
	ready := map[string]int32{}
	for _, w := range workers {
		child, due := running[w.pod], at >= w.from && at < w.to
		switch {
		case due && child == nil:
			if err := s.startWorker(w); err != nil {
				return err
			}
			running[w.pod] = s.children[len(s.children)-1]
		case !due && child != nil:
			child.Terminate()
			delete(running, w.pod)
		}
		if ready[w.processor] += 0; running[w.pod] != nil {
			ready[w.processor]++
		}
	}
	return s.report(ctx, ready)
}

func (s *stage) startWorker(w worker) error {
	for _, p := range processors {
		if p.name != w.processor {
			continue
		}
		manifest := filepath.Join(s.dir, p.name+".yaml")
		if err := os.WriteFile(manifest, []byte(p.manifest(s.brokers.ListenAddrs())), 0o600); err != nil {
			return err
		}
		_, port, _ := strings.Cut(s.ports[w.pod], ":")
		return s.start(exec.Command("bin/millrace", "run", "-f", manifest, "--status-port", port,
			"--brokers", strings.Join(s.brokers.ListenAddrs(), ",")), w.pod)
	}
	return fmt.Errorf("there is no StreamProcessor %s", w.processor)
}

// produce writes orders, more and fewer in waves. One in 200 is cut off.
func (s *stage) produce(ctx context.Context, p processor, length time.Duration) error {
	client, err := kgo.NewClient(kgo.SeedBrokers(s.brokers.ListenAddrs()...), kgo.DefaultProduceTopic(p.name))
	if err != nil {
		return err
	}
	defer client.Close()
	const interval = 100 * time.Millisecond
	begin := time.Now()
	for tick := time.NewTicker(interval); ; {
		wave := 1 + 0.6*math.Sin(4*math.Pi*float64(time.Since(begin))/float64(length))
		var batch []*kgo.Record
		for range int(p.perSecond * wave * interval.Seconds()) {
			value := fmt.Appendf(nil, `{"id": "%08x", "customer": "c-%d", "total": %d}`, rand.Uint32(), rand.IntN(1000), rand.IntN(400))
			if rand.IntN(200) == 0 {
				value = value[:len(value)/2]
			}
			batch = append(batch, &kgo.Record{Value: value})
		}
		if err := client.ProduceSync(ctx, batch...).FirstErr(); err != nil && ctx.Err() == nil {
			return fmt.Errorf("write to topic %s: %w", p.name, err)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return nil
		}
	}
}
