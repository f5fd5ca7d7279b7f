package kafka

import (
	"bufio"
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/segmentio/kafka-go/compress"
	"golang.org/x/sync/semaphore"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/signal"
)

// Producer writes records to the leaders of their partitions. It is idempotent:
// each record is stored once, and in the order of the calls of Append for its
// partition, however often requests have to be repeated. Only a cluster that
// has lost its memory of the Producer may store a batch twice whose answer was
// lost. (A broker forgets at its restart who wrote only records of timestamps
// that are older than producer.id.expiration.ms, a day.)
//
// For each leader there is one goroutine with one request in flight at a time,
// which has a batch of every partition that has something to write. Meanwhile
// records gather in the next batches.
type Producer struct {
	client        *Client
	cfg           ProducerConfig
	codec         compress.Compression
	linger        time.Duration
	maxBatchBytes int
	maxRequest    int // bytes of batches in a request, before compression

	deliveryTimeout time.Duration
	metadataMaxAge  time.Duration

	log logr.Logger

	ids      producerIDs
	buffers  *batch.Pool
	builders batch.BuilderPool

	maxBufferedBytes int64
	budget           *semaphore.Weighted // of maxBufferedBytes: the memory of all batches
	used             atomic.Int64        // bytes of the budget
	blocked          atomic.Int32        // calls of Append that wait for the budget
	refusing         atomic.Int32        // calls of OnAck with an Err

	flushing atomic.Int32  // calls of Flush
	moves    atomic.Int64  // how often records were moved to other queues
	tries    atomic.Uint64 // requests and look-ups that have ended

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	tasks  sync.WaitGroup

	topics  atomic.Pointer[map[string]*TopicWriter] // replaced under mu
	lookups *semaphore.Weighted                     // of requests about named topics
	mu      sync.Mutex
	closed  bool // guarded by mu
	// named are the topics that were asked for by Named and are not known.
	// Guarded by mu.
	named map[string]*topicLookup
	// senders are by the broker's id. Guarded by mu.
	senders  map[int32]*sender
	progress chan struct{} // closed when records settle while someone flushes; guarded by mu
	fatalErr string        // the last that OnFatal was called with; guarded by mu
}

// NewProducer returns a Producer. Close ends it.
func (c *Client) NewProducer(cfg ProducerConfig) *Producer {
	p := &Producer{
		client:           c,
		cfg:              cfg,
		codec:            batch.CodecOf(cfg.Compression),
		linger:           max(cfg.Linger, 0),
		maxBatchBytes:    cfg.MaxBatchBytes,
		maxBufferedBytes: cfg.MaxBufferedBytes,
		log:              cfg.Logger,
		deliveryTimeout:  cfg.DeliveryTimeout,
		metadataMaxAge:   cfg.MetadataMaxAge,
		lookups:          semaphore.NewWeighted(maxLookups),
		named:            make(map[string]*topicLookup),
		ids:              producerIDs{current: noProducer},
		senders:          make(map[int32]*sender),
		progress:         make(chan struct{}),
	}
	if p.maxBatchBytes <= 0 {
		p.maxBatchBytes = defaultMaxBatchBytes
	}
	if p.deliveryTimeout <= 0 {
		p.deliveryTimeout = defaultDeliveryTimeout
	}
	if p.metadataMaxAge <= 0 {
		p.metadataMaxAge = defaultMetadataMaxAge
	}
	if p.maxBufferedBytes <= 0 {
		p.maxBufferedBytes = defaultMaxBufferedBytes
	}
	p.maxBufferedBytes = max(p.maxBufferedBytes, int64(batch.BufferSize(p.maxBatchBytes)))
	p.budget = semaphore.NewWeighted(p.maxBufferedBytes)
	p.buffers = batch.NewPool(int(p.maxBufferedBytes))
	// A request leaves room for what gathers meanwhile. Brokers take up to
	// 100 MB (socket.request.max.bytes).
	p.maxRequest = int(min(p.maxBufferedBytes/4, 32<<20))
	p.topics.Store(&map[string]*TopicWriter{})
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// Buffered returns how many records are not acknowledged yet, and their encoded
// size in bytes.
func (p *Producer) Buffered() (records int, bytes int64) {
	for q := range p.queues {
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

// queues yields the queues of all partitions.
func (p *Producer) queues(yield func(*partitionQueue) bool) {
	for _, t := range *p.topics.Load() {
		for _, q := range t.layout.Load().queues {
			if !yield(q) {
				return
			}
		}
	}
}

// Close ends the Producer and drops what was not acknowledged: its origins are
// never passed to OnAck. When it returns, no goroutine is left and OnAck is not
// called any more.
func (p *Producer) Close() {
	p.mu.Lock()
	p.closed = true
	p.mu.Unlock()
	p.cancel()
	p.tasks.Wait()
	for q := range p.queues {
		q.close()
	}
}

// start runs a goroutine that ends with the Producer; after Close it does
// nothing.
func (p *Producer) start(task func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.closed {
		p.tasks.Go(task)
	}
}

// senderOf returns the sender of a broker, started if need be.
func (p *Producer) senderOf(broker int32) *sender {
	p.mu.Lock()
	defer p.mu.Unlock()
	s := p.senders[broker]
	if s == nil {
		s = &sender{p: p, broker: broker, nudged: signal.New(), out: bufio.NewWriterSize(nil, requestBuffer)}
		p.senders[broker] = s
		if !p.closed {
			p.tasks.Go(s.run)
		}
	}
	return s
}

// fatal reports what somebody has to do something about, once.
func (p *Producer) fatal(err error) {
	text := err.Error()
	p.mu.Lock()
	reported := p.fatalErr == text
	p.fatalErr = text
	p.mu.Unlock()
	if !reported {
		p.cfg.OnFatal(err)
	}
}
