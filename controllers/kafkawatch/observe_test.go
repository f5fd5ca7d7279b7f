package kafkawatch

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestRoundsAreTimed checks that Observe gets the duration of all rounds, failed ones too.
func TestRoundsAreTimed(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.SeedTopics(1, "orders"))
	for name, servers := range map[string][]string{"answers": cluster.Addrs(), "is away": {"127.0.0.1:1"}} {
		t.Run(name, func(t *testing.T) {
			took := make(chan time.Duration, 10_000)
			h := startWith(t, func(w *Watcher) { w.opts.Observe = func(d time.Duration) { took <- d } })
			h.set(named("a"), targetOf(servers, "orders"))
			for range 3 {
				if d := <-took; d <= 0 || d > patience {
					t.Errorf("a round took %v", d)
				}
			}
		})
	}
}
