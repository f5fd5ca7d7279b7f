package kafkatest

import (
	"fmt"
	"os"
	"sync"
	"testing"
)

// shared is the brokers of Shared.
var shared struct {
	mu      sync.Mutex
	inMain  bool
	brokers map[string]*Broker // by their settings; guarded by mu
}

// Main runs a package's tests and then stops the brokers of Shared that tests have started:
//
//	func TestMain(m *testing.M) { kafkatest.Main(m) }
func Main(m *testing.M) {
	shared.inMain = true
	code := m.Run()
	for _, b := range shared.brokers {
		b.Kill()
		_ = os.RemoveAll(b.dir)
	}
	os.Exit(code)
}

// Shared returns an Apache Kafka that all tests of a package share if they ask for the same
// options, so that only the first one waits for its start. Tests must not stop it, and must
// use different names for their topics and groups. The package needs a TestMain that calls
// Main.
func Shared(tb testing.TB, opts ...Option) *Broker {
	tb.Helper()
	if !shared.inMain {
		tb.Fatal("kafkatest.Shared needs func TestMain(m *testing.M) { kafkatest.Main(m) } in this package")
	}
	s := newSettings(opts)
	requireKafka(tb, s.release)
	shared.mu.Lock()
	defer shared.mu.Unlock()
	key := fmt.Sprintf("%+v", *s)
	broker := shared.brokers[key]
	if broker == nil {
		dir, err := os.MkdirTemp("", "millrace-kafka-")
		if err != nil {
			tb.Fatalf("make the shared broker's directory: %v", err)
		}
		broker = newBroker(tb, dir, s)
		if shared.brokers == nil {
			shared.brokers = make(map[string]*Broker)
		}
		shared.brokers[key] = broker
	}
	// The result is the same broker, with clients for this test.
	view := *broker
	view.Cluster = Cluster{tb: tb, addrs: broker.addrs}
	tb.Cleanup(func() {
		if tb.Failed() {
			view.showLog()
		}
	})
	return &view
}
