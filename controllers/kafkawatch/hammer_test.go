package kafkawatch

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// TestHammer calls all methods concurrently, with good, bad and absent clusters. In the end
// the Watcher has to hold the last targets, and no unused connections.
func TestHammer(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	one := kafkatest.Fake(t, kfake.SeedTopics(2, "a", "b"))
	two := kafkatest.Fake(t, kfake.NumBrokers(2), kfake.SeedTopics(1, "a", "b"))
	servers := [][]string{one.Addrs(), two.Addrs(), {kafkatest.UnusedAddr(t)}}
	h := start(t)
	var callers sync.WaitGroup
	for caller := range 8 {
		random := rand.New(rand.NewPCG(seed, uint64(caller)))
		callers.Go(func() {
			for range 300 {
				key := named(fmt.Sprint(random.IntN(6)))
				target := targetOf(servers[random.IntN(3)], string("abc"[random.IntN(3)]))
				switch random.IntN(8) {
				case 0:
					h.Forget(key)
				case 1:
					h.DeleteGroup(key, target)
				case 2:
					_ = h.History(key)
				case 3:
					_ = h.Facts(key)
				default:
					h.set(key, target)
				}
			}
		})
	}
	callers.Wait()
	for i := range 6 {
		h.set(named(fmt.Sprint(i)), targetOf(servers[i%2], "a"))
	}
	for i := range 6 {
		f := h.good(named(fmt.Sprint(i)))
		if len(f.Partitions) != 2-i%2 {
			t.Errorf("%d: got %+v", i, f)
		}
	}
	for i := range 6 {
		h.Forget(named(fmt.Sprint(i)))
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if got := h.connected(); got != 0 {
		t.Errorf("%d sets of connections are left, want none", got)
	}
}
