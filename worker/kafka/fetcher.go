package kafka

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/signal"
)

// FetcherConfig says what a Fetcher reads and in what portions. Fields that are
// zero have a default.
type FetcherConfig struct {
	Topic string
	// Isolation is ReadUncommitted if it is empty.
	Isolation config.IsolationLevel
	// MaxWait is how long a broker holds a request that has nothing to answer;
	// 500 ms by default.
	MaxWait time.Duration
	// MinBytes is how much there has to be for an answer before MaxWait; 1 by
	// default.
	MinBytes int32
	// MaxBytes bounds one answer, in bytes; 8 MiB by default.
	MaxBytes int32
	// MaxMemory bounds the memory of records, in bytes; 64 MiB by default: what
	// is being fetched, what waits in sets, what is unpacked, and what is
	// borrowed by batches that are not released. One log batch for each leader
	// may come on top, fetched for partitions without work. A batch that
	// unpacks to more than MaxMemory, and more than 16 MiB, is a
	// *BatchTooLargeError.
	MaxMemory int64
	// MaxPartitionBytes bounds what one answer brings of one partition, in
	// bytes; 1 MiB by default. With many partitions it is less, so that all
	// together keep to MaxBytes. A log batch above it still comes, alone.
	MaxPartitionBytes int32
	// OnThrottle is called when a broker throttles this client by a quota, with
	// the broker's id. It must not block; nil is allowed.
	OnThrottle func(broker int32, d time.Duration)
	Logger     logr.Logger
}

func (cfg *FetcherConfig) setDefaults() {
	if cfg.MaxWait <= 0 {
		cfg.MaxWait = 500 * time.Millisecond
	}
	if cfg.MinBytes <= 0 {
		cfg.MinBytes = 1
	}
	if cfg.MaxBytes <= 0 {
		cfg.MaxBytes = 8 << 20
	}
	if cfg.MaxMemory <= 0 {
		cfg.MaxMemory = 64 << 20
	}
	if cfg.MaxPartitionBytes <= 0 {
		cfg.MaxPartitionBytes = 1 << 20
	}
}

// Fetcher reads partitions of a topic from their leaders and delivers what comes
// as Sets. Each Set has to be asked for, so the reader decides how much is held.
//
// What a cluster in motion answers (moved leaders, restarting brokers, a topic
// that is created again) is retried inside and logged; a Set with Err tells what
// somebody has to act on. All methods are safe for concurrent use.
type Fetcher struct {
	client *Client
	cfg    FetcherConfig
	log    logr.Logger
	pool   *batch.Pool
	budget *batch.Budget
	sets   chan *batch.Set

	ctx    context.Context // ends with Close
	cancel context.CancelFunc
	tasks  sync.WaitGroup
	// unrouted wakes the goroutine that looks for leaders.
	unrouted signal.Signal

	mu      sync.Mutex
	cursors map[int32]*cursor      // by partition; guarded by mu, entries too
	brokers map[int32]*fetchBroker // by id, kept for good; guarded by mu, entries too
	// accounts count the memory that each partition's records hold. They are never
	// removed.
	accounts map[int32]*batch.Account // by partition; guarded by mu
	epochs   uint64                   // guarded by mu
	served   uint64                   // counts sets with records, for fairness; guarded by mu
	closed   bool                     // guarded by mu
}

// NewFetcher returns a Fetcher that reads nothing yet. Close it after use.
func (c *Client) NewFetcher(cfg FetcherConfig) *Fetcher {
	cfg.setDefaults()
	ctx, cancel := context.WithCancel(context.Background())
	f := &Fetcher{
		client:   c,
		cfg:      cfg,
		log:      cfg.Logger.WithValues("topic", cfg.Topic),
		pool:     batch.NewPool(int(min(int64(cfg.MaxBytes), cfg.MaxMemory/4))),
		sets:     make(chan *batch.Set, 16),
		ctx:      ctx,
		cancel:   cancel,
		unrouted: signal.New(),
		cursors:  make(map[int32]*cursor),
		brokers:  make(map[int32]*fetchBroker),
		accounts: make(map[int32]*batch.Account),
	}
	f.budget = batch.NewBudget(cfg.MaxMemory, f.pool, f.memoryFreed)
	f.tasks.Go(f.route)
	return f
}

// Sets delivers what was fetched, the sets of one partition in order. The
// receiver owns them. It is never closed; after Close nothing more comes.
func (f *Fetcher) Sets() <-chan *batch.Set { return f.sets }

// Position is a place in a partition's log. The leader epoch and the topic's id
// identify the log: the offset means nothing in another one.
type Position struct {
	Offset int64
	// LeaderEpoch is that of the last record below Offset; -1 is unknown.
	LeaderEpoch int32
	TopicID     TopicID
}

// Start reads a partition from an offset on; see StartAt.
func (f *Fetcher) Start(partition int32, offset int64) (epoch uint64) {
	return f.StartAt(partition, Position{Offset: offset, LeaderEpoch: -1})
}

// StartAt reads a partition from a position on; one Set may come before the first
// Ask. A partition that was started before starts anew. The sets of this start
// carry the returned epoch, which is never 0.
func (f *Fetcher) StartAt(partition int32, at Position) (epoch uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drop(f.cursors[partition])
	f.epochs++
	if !f.closed {
		f.cursors[partition] = newCursor(partition, f.epochs, at, f.account(partition))
		f.unrouted.Notify()
	}
	return f.epochs
}

// Ask allows one more Set of a partition; it does not block. Ask when a Set
// arrives, and the next is fetched while that is worked through. For a partition
// that is not started it does nothing.
func (f *Fetcher) Ask(partition int32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := f.cursors[partition]
	if c == nil {
		return
	}
	f.lookAgain(c)
	c.credit++
	if c.broker != nil {
		c.broker.changed.Broadcast()
	}
}

// Stop forgets a partition. Sets of it that are on their way may still come; the
// receiver tells them by their epoch, and releases them.
func (f *Fetcher) Stop(partition int32) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.drop(f.cursors[partition])
}

// Close ends all requests, waits for the goroutines and frees the sets that were
// not received. Those that were stay valid.
func (f *Fetcher) Close() {
	f.mu.Lock()
	f.closed = true
	for _, c := range f.cursors {
		f.drop(c)
	}
	f.mu.Unlock()
	f.cancel()
	f.tasks.Wait()
	for {
		select {
		case s := <-f.sets:
			s.Release()
		default:
			return
		}
	}
}

// OffsetOutOfRangeError says that a partition has no such offset any more, or
// not yet. Brokers don't say where the log begins and ends when they answer so:
// ask PartitionOffsets.
type OffsetOutOfRangeError struct {
	Topic     string
	Partition int32
	// Offset is what was asked for.
	Offset int64
}

// Error names the place.
func (e *OffsetOutOfRangeError) Error() string {
	return fmt.Sprintf("topic %q, partition %d: the log has no offset %d", e.Topic, e.Partition, e.Offset)
}

// TopicRecreatedError says that the topic was deleted and created again under its
// name: the offsets of the former one mean nothing in it.
type TopicRecreatedError struct {
	Topic     string
	Partition int32
	// Offset is the position in the former topic.
	Offset int64
	// Former and Present are the topics' ids.
	Former, Present TopicID
}

// Error names the place.
func (e *TopicRecreatedError) Error() string {
	return fmt.Sprintf("topic %q, partition %d: the topic was deleted and created again (its id was %x and is %x)",
		e.Topic, e.Partition, e.Former, e.Present)
}
