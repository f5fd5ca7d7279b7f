package kafka

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/segmentio/kafka-go/compress"
	"golang.org/x/sync/semaphore"

	"github.com/millrace-dev/millrace/worker/config"
)

// Defaults of a ProducerConfig.
const (
	// What brokers take by default (message.max.bytes), so that whatever could
	// be written to an input topic can be written to an output topic.
	defaultMaxBatchBytes    = 1_048_588
	defaultMaxBufferedBytes = 32 << 20
	defaultDeliveryTimeout  = 2 * time.Minute
)

// maxRecordBytes is the most that a record may take in its batch: brokers close
// a connection when a request is above socket.request.max.bytes, which is 100
// MiB by default, and say nothing.
const maxRecordBytes = 90 << 20

// ErrTooLarge says that a record is larger than its topic takes, or than
// maxRecordBytes. The error that wraps it says which.
var ErrTooLarge = errors.New("record too large")

// ErrInvalidRecord says that a topic's broker will not have a record, such as one
// without a key for a compacted topic.
var ErrInvalidRecord = errors.New("the broker refuses the record")

// errProducerClosed counts as a cancellation: nothing is known to be wrong with
// the record.
var errProducerClosed = fmt.Errorf("the producer is closed: %w", context.Canceled)

// ProducerConfig says how to write. OnAck and OnFatal are required.
type ProducerConfig struct {
	Compression config.Compression
	// Linger is how long a record may wait for others to fill its batch. It
	// does so only where little is written: what is worth a request by itself
	// is sent as soon as the one before is answered.
	Linger time.Duration
	// MaxBatchBytes bounds a batch of several records, before compression; 0
	// is 1,048,588, which brokers take by default. Keep it within the topic's
	// max.message.bytes. A record that is larger goes in a batch by itself.
	MaxBatchBytes int
	// MaxBufferedBytes bounds the memory of all records that are not
	// acknowledged, as they were encoded; Append blocks beyond it. 0 is 32
	// MiB; there is always room for one batch, and for one record of any size
	// while there is no other.
	MaxBufferedBytes int64
	// DeliveryTimeout is how long a partition may refuse a batch without a
	// reason that is known (an unknown server error) before its records fail
	// with ErrNotDelivered; 0 is two minutes. Outages don't count: without a
	// leader or an answer a batch waits.
	DeliveryTimeout time.Duration
	// MetadataMaxAge is how old the number of a topic's partitions may get
	// before the cluster is asked again; 0 is five minutes.
	MetadataMaxAge time.Duration
	// OnAck is called when records were stored, or refused for good, from the
	// goroutines that send: one at a time for a partition, in the order of
	// its batches. It must not block. If an Ack has an Err it may call
	// Append, which does not wait for memory then.
	OnAck func(*Ack)
	// OnFatal is called when something has to be done before records can be
	// written, such as an ACL that has to be granted. The records are kept
	// and tried again now and then. It may be called from several goroutines,
	// and must not block or close the Producer.
	OnFatal func(error)
	Logger  logr.Logger
}

// Ack tells what became of records of one batch.
type Ack struct {
	Topic     string
	Partition int32
	// BaseOffset is the offset of the first record, the others follow it; -1
	// if it is unknown.
	BaseOffset int64
	// Origins are those of the records, in their order. They are valid until
	// OnAck returns.
	Origins []Origin
	// Bytes is what the records take in a batch that is not compressed; 0 if
	// they can't be written.
	Bytes int
	// Err is set if these records can't be written: the cluster refuses them
	// as too large (ErrTooLarge) or invalid, or for DeliveryTimeout without a
	// known reason (ErrNotDelivered).
	Err error
}

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
	buffers  *bufferPool
	builders builderPool

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
		codec:            compressions[cfg.Compression],
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
	p.maxBufferedBytes = max(p.maxBufferedBytes, int64(roomFor(p.maxBatchBytes)))
	p.budget = semaphore.NewWeighted(p.maxBufferedBytes)
	p.buffers = newBufferPool(int(p.maxBufferedBytes))
	// A request leaves room for what gathers meanwhile. Brokers take up to
	// 100 MB (socket.request.max.bytes).
	p.maxRequest = int(min(p.maxBufferedBytes/4, 32<<20))
	p.topics.Store(&map[string]*TopicWriter{})
	p.ctx, p.cancel = context.WithCancel(context.Background())
	return p
}

// TopicOptions say how a topic is written to. The first call for the topic
// decides.
type TopicOptions struct {
	// Compression, if set, is used instead of the Producer's.
	Compression config.Compression
	// Isolated lets records fail that this user may not write; otherwise that
	// is for OnFatal.
	Isolated bool

	named bool
}

// Topic returns the writer of a topic. The first call for it asks the cluster;
// errors.Is(err, ErrTopicNotFound) says that there is none of that name.
func (p *Producer) Topic(ctx context.Context, name string, o TopicOptions) (*TopicWriter, error) {
	if t := (*p.topics.Load())[name]; t != nil {
		return t, nil
	}
	partitions, err := p.client.Partitions(ctx, name)
	if err != nil {
		return nil, err
	}
	return p.open(name, partitions, o)
}

// open returns the writer of a topic that exists.
func (p *Producer) open(name string, partitions int32, o TopicOptions) (*TopicWriter, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := *p.topics.Load()
	if t := known[name]; t != nil {
		return t, nil
	}
	if p.closed {
		return nil, errProducerClosed
	}
	t := newTopicWriter(p, name, partitions, o)
	more := maps.Clone(known)
	more[name] = t
	p.topics.Store(&more)
	if len(known) == 0 {
		p.tasks.Go(p.refreshTopics)
	}
	return t, nil
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

// Tries returns how often the Producer has tried to write, whatever came of it:
// requests with records and what has to be asked before. The number grows for as
// long as records wait to be written.
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
		s = &sender{p: p, broker: broker, nudged: make(chan struct{}, 1), out: bufio.NewWriterSize(nil, requestBuffer)}
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
