package produce

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/segmentio/kafka-go/compress"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// Producer writes records to the leaders of their partitions. It is idempotent:
// the cluster stores each record once, and in the order of the calls of Append for its
// partition, however often requests are repeated. Only a cluster that has lost its
// memory of the Producer may store a batch twice whose response was lost. (A broker
// that restarts forgets producers which wrote only records with timestamps older than
// producer.id.expiration.ms, a day.)
//
// For each leader there is one sender, a goroutine with one request in flight at a
// time. The request has a batch of every partition that has something to write.
// Records that come during the request gather in the next batches.
//
// The parts of a Producer have their own fields: the directory of the topics, the
// memory of the records, the identity, the router that finds leaders, and the senders.
type Producer struct {
	client *kafka.Client
	cfg    Config
	codec  compress.Compression
	linger time.Duration
	// maxBatchBytes bounds a batch, maxRequest the batches of a request; both in bytes
	// before compression.
	maxBatchBytes int
	maxRequest    int

	deliveryTimeout time.Duration
	metadataMaxAge  time.Duration

	log logr.Logger

	tasks     tasks
	memory    memory
	ids       identities
	directory topicDirectory
	router    router
	senders   senderSet
	flusher   flusher
	outcomes  outcomes
	// transactions is unused without Config.Transactional.
	transactions transactions
	fatal        fatalErrors

	moves atomic.Int64  // how often records were moved to other queues
	tries atomic.Uint64 // requests and look-ups that have ended
}

// New returns a Producer. Close ends it.
func New(c *kafka.Client, cfg Config) *Producer {
	cfg.setDefaults()
	p := &Producer{
		client:          c,
		cfg:             cfg,
		codec:           batch.CodecOf(cfg.Compression),
		linger:          max(cfg.Linger, 0),
		maxBatchBytes:   cfg.MaxBatchBytes,
		log:             cfg.Logger,
		deliveryTimeout: cfg.DeliveryTimeout,
		metadataMaxAge:  cfg.MetadataMaxAge,
	}
	p.tasks.ctx, p.tasks.cancel = context.WithCancel(context.Background())
	p.transactions.init(p)
	limit := max(cfg.MaxBufferedBytes, int64(batch.BufferSize(cfg.MaxBatchBytes)))
	p.memory.init(limit, p.tasks.ctx, p.senders.wakeAll)
	// A request leaves room for the records that come during it. Brokers take up to
	// 100 MB (socket.request.max.bytes).
	p.maxRequest = int(min(limit/4, 32<<20))
	p.fatal.report = cfg.OnFatal
	p.ids.init(c, p.log, &p.fatal, &p.tries)
	p.directory.init(p)
	p.router.p, p.senders.p = p, p
	p.flusher.init(p)
	p.outcomes = outcomes{onAck: cfg.OnAck, memory: &p.memory, flusher: &p.flusher}
	return p
}

// Topic returns the writer of a topic. The first call for it asks the cluster;
// errors.Is(err, ErrTopicNotFound) reports that there is none of that name.
func (p *Producer) Topic(ctx context.Context, name string, o TopicOptions) (*TopicWriter, error) {
	return p.directory.topic(ctx, name, o)
}

// Named returns the writer of a topic that a record asks for. It never waits for
// long. ErrTopicPending passes: try the record again, nothing is wrong with it.
// Other errors are about the topic: it does not exist, or this user may not write
// to it. They are remembered for a few seconds.
func (p *Producer) Named(name string) (*TopicWriter, error) { return p.directory.byName(name) }

// Buffered returns how many records are not acknowledged yet, and their encoded
// size in bytes.
func (p *Producer) Buffered() (records int, bytes int64) {
	for q := range p.directory.queues {
		n, size := q.buffered()
		records += n
		bytes += size
	}
	return records, bytes
}

// Tries returns how often the Producer has tried to write, with or without
// success: it counts requests with records and the lookups before them. The
// number grows as long as records wait to be written.
func (p *Producer) Tries() uint64 { return p.tries.Load() }

// Flush returns when every record that was appended before the call is
// acknowledged or failed. The Producer sends them at once.
func (p *Producer) Flush(ctx context.Context) error { return p.flusher.flush(ctx) }

// Close ends the Producer and drops the records that are not acknowledged: OnAck
// never gets their origins. When Close returns, no goroutine is left and OnAck is not
// called any more.
func (p *Producer) Close() {
	p.directory.close()
	p.tasks.close()
	for q := range p.directory.queues {
		q.close()
	}
}

// tasks runs the goroutines of a Producer.
type tasks struct {
	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	group  sync.WaitGroup

	mu     sync.Mutex
	closed bool // guarded by mu
}

// start runs a goroutine that ends with the Producer; after Close it does
// nothing.
func (t *tasks) start(task func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.group.Go(task)
	}
}

// close ends the goroutines and waits for them.
func (t *tasks) close() {
	t.mu.Lock()
	t.closed = true
	t.mu.Unlock()
	t.cancel()
	t.group.Wait()
}

// fatalErrors reports errors that somebody has to act on, each once.
type fatalErrors struct {
	report func(error)

	mu   sync.Mutex
	last string // text of the last reported error; guarded by mu
}

// add reports an error, unless it is the last one again.
func (f *fatalErrors) add(err error) {
	text := err.Error()
	f.mu.Lock()
	reported := f.last == text
	f.last = text
	f.mu.Unlock()
	if !reported {
		f.report(err)
	}
}
