package fetch

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// Config sets the topic that a Fetcher reads, and in what portions. Fields
// that are zero have a default.
type Config struct {
	Topic string
	// Isolation is ReadUncommitted if it is empty.
	Isolation config.IsolationLevel
	// MaxWait is how long a broker holds a request without records to return; 500 ms
	// by default.
	MaxWait time.Duration
	// MinBytes is the least number of bytes that a broker returns before MaxWait; 1
	// by default.
	MinBytes int32
	// MaxBytes bounds one response, in bytes; 8 MiB by default.
	MaxBytes int32
	// MaxMemory bounds the memory of records, in bytes; 64 MiB by default. It counts
	// responses under way, records that wait in sets, unpacked records, and records
	// of batches that are not released. One log batch for each leader may come on
	// top, fetched for partitions without work. A batch that unpacks to more than
	// MaxMemory, and more than 16 MiB, is a *BatchTooLargeError.
	MaxMemory int64
	// MaxPartitionBytes bounds the records of one partition in a response, in bytes;
	// 1 MiB by default. With many partitions it is less, so that all together keep to
	// MaxBytes. A larger log batch still comes, alone.
	MaxPartitionBytes int32
	// OnThrottle is called when a broker throttles this client by a quota, with
	// the broker's id. It must not block; nil is allowed.
	OnThrottle func(broker int32, d time.Duration)
	Logger     logr.Logger
}

func (cfg *Config) setDefaults() {
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

func (cfg *Config) readCommitted() bool { return cfg.Isolation == config.ReadCommitted }

// Fetcher reads partitions of a topic from their leaders and delivers their records as
// Sets. The reader asks for each Set, so it decides how many are held.
//
// The Fetcher retries and logs the errors of a changing cluster (moved leaders,
// restarting brokers, a topic that is created again). A Set with Err reports an error
// that somebody has to act on. All methods are safe for concurrent use.
//
// The router finds the leader of each partition. Two pollers fetch from each leader.
// The response handler makes sets of the records, and the outlet delivers them. All of
// them share the table of the partitions' cursors.
type Fetcher struct {
	table  *cursorTable
	memory *memory
	router *router
	outlet *setOutlet

	cancel context.CancelFunc
	tasks  sync.WaitGroup
}

// New returns a Fetcher that reads nothing yet. Close it after use.
func New(c *kafka.Client, cfg Config) *Fetcher {
	cfg.setDefaults()
	ctx, cancel := context.WithCancel(context.Background())
	f := &Fetcher{table: newCursorTable(), cancel: cancel}
	f.memory = newMemory(&cfg, f.table.wakePollers)
	f.outlet = &setOutlet{sets: make(chan *batch.Set, 16), table: f.table, ctx: ctx}
	log := cfg.Logger.WithValues("topic", cfg.Topic)
	maker := &setMaker{cfg: &cfg, memory: f.memory}
	responses := &responseHandler{
		client: c, cfg: &cfg, log: log, table: f.table, memory: f.memory, maker: maker, outlet: f.outlet,
	}
	f.router = &router{
		client: c, cfg: &cfg, table: f.table, maker: maker, outlet: f.outlet, ctx: ctx,
		pollers: &pollers{
			client: c, cfg: &cfg, table: f.table, memory: f.memory, responses: responses, ctx: ctx, tasks: &f.tasks,
		},
	}
	f.tasks.Go(f.router.run)
	return f
}

// Sets delivers the fetched sets, those of one partition in order. The receiver owns
// them. The channel is never closed; after Close nothing more comes.
func (f *Fetcher) Sets() <-chan *batch.Set { return f.outlet.sets }

// Position is a place in a partition's log. The leader epoch and the topic's id
// identify the log: in another log, the offset has no meaning.
type Position struct {
	Offset int64
	// LeaderEpoch is the epoch of the last record below Offset; -1 is unknown.
	LeaderEpoch int32
	TopicID     kafka.TopicID
}

// Start reads a partition from an offset on; see StartAt.
func (f *Fetcher) Start(partition int32, offset int64) (epoch uint64) {
	return f.StartAt(partition, Position{Offset: offset, LeaderEpoch: -1})
}

// StartAt reads a partition from a position on; one Set may come before the first
// Ask. A partition that was started before starts again. The sets of this start
// carry the returned epoch, which is never 0.
func (f *Fetcher) StartAt(partition int32, at Position) (epoch uint64) {
	return f.table.start(partition, at, f.memory.account(partition))
}

// Ask allows one more Set of a partition; it does not block. A reader asks when a Set
// arrives, so that the Fetcher fetches the next one while the reader works. For a
// partition that is not started, Ask does nothing.
func (f *Fetcher) Ask(partition int32) {
	f.table.mu.Lock()
	defer f.table.mu.Unlock()
	c := f.table.cursors[partition]
	if c == nil {
		return
	}
	f.router.lookAgain(c)
	c.credit++
	if c.broker != nil {
		c.broker.changed.Broadcast()
	}
}

// Stop forgets a partition. Sets of it that are on their way may still come; the
// receiver recognizes them by their epoch, and releases them.
func (f *Fetcher) Stop(partition int32) {
	f.table.mu.Lock()
	defer f.table.mu.Unlock()
	f.table.drop(f.table.cursors[partition])
}

// Tries returns how often the Fetcher has asked for a partition or its leader since
// its Start, with or without success. The number grows as long as the Fetcher waits
// for the partition: while there is no leader, no broker, or nothing new.
func (f *Fetcher) Tries(partition int32) uint64 {
	f.table.mu.Lock()
	defer f.table.mu.Unlock()
	if c := f.table.cursors[partition]; c != nil {
		return c.tries
	}
	return 0
}

// Disown stops counting the memory that a partition holds when it is given up, since
// the reader may never release it. Later fetches of the partition are counted again.
func (f *Fetcher) Disown(partition int32) { f.memory.disown(partition) }

// MayUnpack reports whether there is memory to unpack more of a partition, which takes
// need bytes (Set.Needs). lone says that nothing of the partition is in flight. Then,
// or if the partition holds little unpacked, it may unpack one log batch even if no
// memory is free, unless another partition has just done so. After false, call
// MayUnpack again when batches are released, and after ExceedFor.
func (f *Fetcher) MayUnpack(partition int32, need int, lone bool) bool {
	if f.memory.budget.HasRoom(need) {
		return true // a short cut, since this is the usual case
	}
	return f.memory.budget.MayUnpack(f.memory.account(partition), int64(need), f.table.started(), lone)
}

// Short reports whether so little memory is left that reading may have to wait.
func (f *Fetcher) Short() bool { return f.memory.budget.Short() }

// Memory returns the bytes of all records that are fetched and not released, packed
// or unpacked.
func (f *Fetcher) Memory() int64 { return f.memory.pool.Used() }

// Close ends all requests, waits for the goroutines and frees the sets that were
// not received. Received sets stay valid.
func (f *Fetcher) Close() {
	f.table.close()
	f.cancel()
	f.tasks.Wait()
	for {
		select {
		case s := <-f.outlet.sets:
			s.Release()
		default:
			return
		}
	}
}

// OffsetOutOfRangeError says that a partition has no such offset any more, or
// not yet. Brokers don't add where the log begins and ends: ask PartitionOffsets.
type OffsetOutOfRangeError struct {
	Topic     string
	Partition int32
	// Offset is the offset of the request.
	Offset int64
}

// Error names the place.
func (e *OffsetOutOfRangeError) Error() string {
	return fmt.Sprintf("topic %q, partition %d: the log has no offset %d", e.Topic, e.Partition, e.Offset)
}

// TopicRecreatedError says that the topic was deleted and created again under its
// name: the offsets of the former topic have no meaning in the new one.
type TopicRecreatedError struct {
	Topic     string
	Partition int32
	// Offset is the position in the former topic.
	Offset int64
	// Former and Present are the topics' ids.
	Former, Present kafka.TopicID
}

// Error names the place.
func (e *TopicRecreatedError) Error() string {
	return fmt.Sprintf("topic %q, partition %d: the topic was deleted and created again (its id was %x and is %x)",
		e.Topic, e.Partition, e.Former, e.Present)
}
