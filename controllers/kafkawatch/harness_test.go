package kafkawatch

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/go-logr/logr/testr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"k8s.io/apimachinery/pkg/types"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

func TestMain(m *testing.M) { kafkatest.Main(m) }

// patience is how long a test waits for an expected event.
const patience = 30 * time.Second

// harness is a running Watcher with a short interval.
type harness struct {
	*Watcher
	t *testing.T

	mu    sync.Mutex
	wakes map[types.NamespacedName]int // guarded by mu
}

func start(t *testing.T) *harness {
	t.Helper()
	return startWith(t, func(*Watcher) {})
}

func startWith(t *testing.T, change func(*Watcher)) *harness {
	t.Helper()
	h := &harness{t: t, wakes: make(map[types.NamespacedName]int)}
	h.Watcher = New(Options{Interval: 20 * time.Millisecond, Wake: h.woken, Logger: testr.New(t)})
	change(h.Watcher)
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- h.Start(ctx) }()
	t.Cleanup(func() {
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Start: %v", err)
			}
		case <-time.After(patience):
			buf := make([]byte, 1<<20)
			t.Errorf("Start does not end:\n%s", buf[:runtime.Stack(buf, true)])
		}
	})
	return h
}

func (h *harness) woken(key types.NamespacedName) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.wakes[key]++
}

func (h *harness) wakesOf(key types.NamespacedName) int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.wakes[key]
}

func (h *harness) set(key types.NamespacedName, target Target) {
	h.t.Helper()
	if err := h.Set(key, target); err != nil {
		h.t.Fatalf("Set: %v", err)
	}
}

func (h *harness) eventually(what string, condition func() bool) {
	h.t.Helper()
	h.await(condition, func() string { return what })
}

// await waits for the condition, and fails the test with what if it does not come to hold.
func (h *harness) await(condition func() bool, what func() string) {
	h.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !condition(); <-tick.C {
		if time.Now().After(deadline) {
			h.t.Fatalf("waited %v in vain: %s", patience, what())
		}
	}
}

// facts waits until the facts are as expected and Wake has been called.
func (h *harness) facts(key types.NamespacedName, what string, expected func(Facts) bool) Facts {
	h.t.Helper()
	var f Facts
	h.await(func() bool { f = h.Facts(key); return expected(f) }, func() string { return fmt.Sprintf("%s: got %+v", what, f) })
	h.eventually("a wake for "+what, func() bool { return h.wakesOf(key) > 0 })
	return f
}

func (h *harness) good(key types.NamespacedName) Facts {
	h.t.Helper()
	return h.facts(key, "a good answer", func(f Facts) bool { return f.Err == nil && !f.At.IsZero() })
}

func (h *harness) partitions(key types.NamespacedName, want ...Partition) {
	h.t.Helper()
	h.facts(key, "the partitions", func(f Facts) bool { return f.Err == nil && slices.Equal(f.Partitions, want) })
}

// rounds waits until n more whole rounds have been answered.
func rounds(t *testing.T, cluster *kafkatest.FakeCluster, n int) {
	t.Helper()
	asked := cluster.Faults.Fault(kfake.Fault{
		Keys: []kmsg.Key{kmsg.Metadata}, Count: -1, Observe: true,
		// The transport's own requests name no topic.
		When: func(req kmsg.Request) bool { return len(req.(*kmsg.MetadataRequest).Topics) > 0 },
	})
	defer asked.Remove()
	ctx, cancel := context.WithTimeout(context.Background(), time.Duration(n+1)*patience)
	defer cancel()
	// The last of the n+1 rounds has only begun.
	if err := asked.Wait(ctx, n+1); err != nil {
		t.Fatalf("waited for %d rounds, got %d", n, asked.Hits())
	}
}

func named(name string) types.NamespacedName {
	return types.NamespacedName{Namespace: "default", Name: name}
}

func targetOf(servers []string, topic string) Target {
	return Target{
		Cluster: Cluster{Kafka: config.Kafka{BootstrapServers: servers}}, Topic: topic, GroupID: topic,
		Isolation: config.ReadCommitted, History: time.Minute,
	}
}

// logIn sets the user of a target.
func logIn(target *Target, username, password string) {
	target.Cluster.SASL = &config.SASL{Mechanism: config.Plain, Username: username, PasswordFile: "password"}
	target.Cluster.Files = map[string][]byte{"password": []byte(password + "\n")}
}

// trust sets the certificate authority of a target.
func trust(target *Target, ca []byte, serverName string) {
	target.Cluster.TLS = &config.TLS{CAFiles: []string{"ca"}, ServerName: serverName}
	target.Cluster.Files = map[string][]byte{"ca": ca}
}
