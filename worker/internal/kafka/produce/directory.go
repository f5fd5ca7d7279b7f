package produce

import (
	"context"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/backoff"
)

// TopicOptions set how to write to a topic. The first call for the topic decides.
type TopicOptions struct {
	// Compression, if set, replaces the Producer's.
	Compression config.Compression
	// Isolated lets records fail if this user may not write to the topic; without
	// it, the Producer calls OnFatal.
	Isolated bool

	named bool
}

// topicDirectory holds the writers of a Producer's topics.
type topicDirectory struct {
	p       *Producer
	writers atomic.Pointer[map[string]*TopicWriter] // replaced under mu
	lookups *semaphore.Weighted                     // of requests about named topics

	mu     sync.Mutex
	closed bool // guarded by mu
	// unknown holds the topics that were asked for by name and have no writer.
	// Guarded by mu.
	unknown map[string]*topicLookup
}

func (d *topicDirectory) init(p *Producer) {
	d.p = p
	d.lookups = semaphore.NewWeighted(maxLookups)
	d.unknown = make(map[string]*topicLookup)
	d.writers.Store(&map[string]*TopicWriter{})
}

// topic does the work of Producer.Topic.
func (d *topicDirectory) topic(ctx context.Context, name string, o TopicOptions) (*TopicWriter, error) {
	if t := (*d.writers.Load())[name]; t != nil {
		return t, nil
	}
	partitions, err := d.p.client.Partitions(ctx, name)
	if err != nil {
		return nil, err
	}
	return d.open(name, partitions, o)
}

// open returns the writer of a topic that exists.
func (d *topicDirectory) open(name string, partitions int32, o TopicOptions) (*TopicWriter, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	known := *d.writers.Load()
	if t := known[name]; t != nil {
		return t, nil
	}
	if d.closed {
		return nil, errProducerClosed
	}
	t := newTopicWriter(d.p, name, partitions, o)
	more := maps.Clone(known)
	more[name] = t
	d.writers.Store(&more)
	if len(known) == 0 {
		d.p.tasks.start(d.refreshTopics)
	}
	return t, nil
}

// queues yields the queues of all partitions.
func (d *topicDirectory) queues(yield func(*partitionQueue) bool) {
	for _, t := range *d.writers.Load() {
		for _, q := range t.layout.Load().queues {
			if !yield(q) {
				return
			}
		}
	}
}

// refreshTopics asks the cluster for the partitions of all topics when they are due.
func (d *topicDirectory) refreshTopics() {
	ctx := d.p.tasks.ctx
	for backoff.Sleep(ctx, min(unsettledMetadataMaxAge, d.p.metadataMaxAge)) == nil {
		for _, t := range *d.writers.Load() {
			t.retryIdle(time.Now())
			if t.outdated(time.Now()) {
				// The next write to the topic reports the error.
				_, _ = t.refresh(ctx)
			}
		}
	}
}

// close keeps new writers from being opened.
func (d *topicDirectory) close() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.closed = true
}
