package kafkatest

import (
	"os"
	"sync"
	"testing"
)

// shared is the broker of Shared.
var shared struct {
	mu     sync.Mutex
	inMain bool
	broker *Broker // guarded by mu
}

// Main runs a package's tests and then stops the broker of Shared, if a test has started
// it:
//
//	func TestMain(m *testing.M) { kafkatest.Main(m) }
func Main(m *testing.M) {
	shared.inMain = true
	code := m.Run()
	if b := shared.broker; b != nil {
		b.Kill()
		_ = os.RemoveAll(b.dir)
	}
	os.Exit(code)
}

// Shared returns an Apache Kafka that all tests of a package share, so that only the
// first one waits for its start. Tests must not stop it, and must use different names for
// their topics and groups. The package needs a TestMain that calls Main.
func Shared(tb testing.TB) *Broker {
	tb.Helper()
	if !shared.inMain {
		tb.Fatal("kafkatest.Shared needs func TestMain(m *testing.M) { kafkatest.Main(m) } in this package")
	}
	requireKafka(tb)
	shared.mu.Lock()
	defer shared.mu.Unlock()
	if shared.broker == nil {
		dir, err := os.MkdirTemp("", "millrace-kafka-")
		if err != nil {
			tb.Fatalf("make the shared broker's directory: %v", err)
		}
		shared.broker = newBroker(tb, dir)
	}
	// The result is the same broker, with clients for this test.
	view := *shared.broker
	view.Cluster = Cluster{tb: tb, addrs: shared.broker.addrs}
	tb.Cleanup(func() {
		if tb.Failed() {
			view.showLog()
		}
	})
	return &view
}
