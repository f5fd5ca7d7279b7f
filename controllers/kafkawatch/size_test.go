package kafkawatch

import (
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
	"k8s.io/apimachinery/pkg/types"

	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// The limits of the cost of 3,000 StreamProcessors on one cluster.
const (
	many              = 3000
	partitionsOfEach  = 4
	requestsOfARound  = 5 + many*partitionsOfEach/2000 + 1 // offsets of groups come in parts
	heapOfOne         = 8 << 10                            // bytes, with some history
	topicsInTheRound  = many
	roundsThatAreSeen = 5
)

// requests counts all requests, and the topics in requests for metadata.
type requests struct {
	mu     sync.Mutex
	byKey  map[int16]int // guarded by mu
	topics int           // the most in one request; guarded by mu
}

func (r *requests) watch(cluster *kafkatest.FakeCluster) {
	cluster.Faults.Control(func(req kmsg.Request) (kmsg.Response, error, bool) {
		cluster.Faults.KeepControl()
		r.mu.Lock()
		defer r.mu.Unlock()
		r.byKey[req.Key()]++
		if m, ok := req.(*kmsg.MetadataRequest); ok {
			if m.Topics == nil {
				r.topics = 1 << 30
			}
			r.topics = max(r.topics, len(m.Topics))
		}
		return nil, nil, false
	})
}

func (r *requests) taken() (byKey map[int16]int, topics int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	byKey, r.byKey = r.byKey, make(map[int16]int)
	return byKey, r.topics
}

func heap() int64 {
	runtime.GC()
	runtime.GC() // frees the memory that finalizers held
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

func TestThousandsOnOneCluster(t *testing.T) {
	topics := make([]string, many)
	for i := range topics {
		topics[i] = fmt.Sprintf("topic-%d", i)
	}
	cluster := kafkatest.Fake(t, kfake.SeedTopics(partitionsOfEach, append(topics, "unasked")...))
	h := start(t)
	before := heap()
	keys := make([]types.NamespacedName, many)
	for i, topic := range topics {
		keys[i] = named(topic)
		h.set(keys[i], targetOf(cluster.Addrs(), topic))
	}
	for _, key := range keys {
		h.good(key)
	}
	seen := &requests{byKey: make(map[int16]int)}
	seen.watch(cluster)
	rounds(t, cluster, 1)
	seen.taken()
	rounds(t, cluster, roundsThatAreSeen)
	byKey, most := seen.taken()
	if most > topicsInTheRound {
		t.Errorf("a request asked for the metadata of %d topics, but only %d are watched", most, topicsInTheRound)
	}
	total := 0
	for _, n := range byKey {
		total += n
	}
	if limit := requestsOfARound * (roundsThatAreSeen + 2); total > limit {
		t.Errorf("%d requests in %d rounds, want at most %d: %v", total, roundsThatAreSeen, limit, byKey)
	}
	grown := heap() - before
	t.Logf("%d requests in %d rounds (%v), %d bytes of heap for each of %d", total, roundsThatAreSeen, byKey, grown/many, many)
	if grown > many*heapOfOne {
		t.Errorf("the heap has grown by %d bytes for each StreamProcessor, want at most %d", grown/many, heapOfOne)
	}
	for _, key := range keys {
		if got := h.wakesOf(key); got != 1 {
			t.Fatalf("%v was woken %d times", key, got)
		}
	}
}
