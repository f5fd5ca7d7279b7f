package kafkawatch

import (
	"fmt"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/millrace-dev/millrace/controllers/dial"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// counter is a listener that counts its open connections.
type counter struct {
	net.Listener
	open, most *atomic.Int64
}

func (c counter) Accept() (net.Conn, error) {
	conn, err := c.Listener.Accept()
	if err != nil {
		return nil, err
	}
	now := c.open.Add(1)
	for most := c.most.Load(); now > most && !c.most.CompareAndSwap(most, now); most = c.most.Load() {
	}
	return &counted{Conn: conn, open: c.open}, nil
}

type counted struct {
	net.Conn
	open *atomic.Int64
	once sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() { c.open.Add(-1) })
	return c.Conn.Close()
}

// TestConnectionsAreFewAndClosed checks that a few connections are enough for many
// StreamProcessors of a cluster, and that all are closed after the last one is forgotten.
func TestConnectionsAreFewAndClosed(t *testing.T) {
	var open, most atomic.Int64
	topics := make([]string, 100)
	for i := range topics {
		topics[i] = fmt.Sprint("topic-", i)
	}
	cluster := kafkatest.Fake(t, kfake.NumBrokers(3), kfake.SeedTopics(6, topics...),
		kfake.ListenFn(func(network, address string) (net.Listener, error) {
			l, err := net.Listen(network, address)
			return counter{Listener: l, open: &open, most: &most}, err
		}))
	h := start(t)
	for _, topic := range topics {
		h.set(named(topic), targetOf(cluster.Addrs(), topic))
	}
	for _, topic := range topics {
		h.good(named(topic))
	}
	rounds(t, cluster, 5)
	// One for each broker, and some for requests that any broker may answer, among
	// them the transport's; while the transport dials, it may use one more.
	if got := most.Load(); got > 12 {
		t.Errorf("%d connections to 3 brokers, want at most 12", got)
	}
	for _, topic := range topics {
		h.Forget(named(topic))
	}
	h.eventually("all connections are closed", func() bool { return open.Load() == 0 })
}

// TestConnectionsAreThoseOfTheNamespace checks that the names of brokers, advertised ones
// too, are resolved in the namespace of the StreamProcessor, and that the operator does not
// connect to brokers that its policy denies.
func TestConnectionsAreThoseOfTheNamespace(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.NumBrokers(1), kfake.SeedTopics(1, "orders"))
	denied, err := dial.NewPolicy(nil, dial.DeniedByDefault())
	if err != nil {
		t.Fatal(err)
	}
	for _, policy := range []*dial.Policy{nil, denied} {
		h := startWith(t, func(w *Watcher) { w.opts.Network.Policy = policy })
		target := targetOf(cluster.Addrs(), "orders")
		h.set(named("one"), target)
		h.facts(named("one"), "an answer", func(f Facts) bool {
			if policy == nil {
				return len(f.Partitions) == 1
			}
			return f.Err != nil && strings.Contains(f.Err.Error(), "kafka.deniedBrokers")
		})
		target.Cluster.Namespace = "bank"
		h.set(named("two"), target)
		if n := h.connected(); n != 2 {
			t.Errorf("%d sets of connections for two namespaces, where short names differ", n)
		}
	}
}
