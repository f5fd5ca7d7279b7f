package engine

import (
	"context"
	"fmt"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/dispatch"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/signal"
	"github.com/millrace-dev/millrace/worker/internal/telemetry"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// member is one member of the consumer group with a data path of its own.
type member struct {
	e      *Engine
	number int
	log    logr.Logger

	group   *kafka.Member
	fetcher *kafka.Fetcher
	writers writers
	pool    *dispatch.Pool
	chunks  chunks

	// hard ends when the member can't wait for what is in flight any longer.
	hard   context.Context
	giveUp context.CancelFunc

	wake signal.Signal // the feeder has something to look at

	mu     sync.Mutex
	posted []func()             // for the feeder to run; guarded by mu
	parts  map[int32]*partition // changed by the feeder; guarded by mu

	commitMu sync.Mutex // held from a checkpoint to its acknowledgement
	// metadataLimit is how long the metadata of a commit may be, as far as this
	// process has learnt; guarded by commitMu.
	metadataLimit int
	metadataBare  bool          // logged that the limit leaves no room for maps; guarded by commitMu
	commitNow     signal.Signal // the committer should not wait

	// lookups counts the questions about a partition's log that have ended.
	lookups atomic.Uint64

	// blocked is set while the feeder waits for records to settle.
	blocked atomic.Bool

	// The feeder's own.
	stopping      bool
	abandoned     bool
	hurried       bool
	nextNumber    uint32
	rounds        int
	feedList      []*partition
	decoded       []*dispatch.Chunk // entered in the books and not pushed yet
	readCommitted bool
	look          *time.Timer // wakes the feeder while it waits for memory; nil before

	state      atomic.Pointer[string]
	joined     atomic.Pointer[kafka.Member] // group, for /status
	saturation telemetry.Rate               // of the pool
}

func newMember(e *Engine, number int) *member {
	m := &member{
		e: e, number: number, wake: signal.New(), commitNow: signal.New(),
		parts: make(map[int32]*partition), metadataLimit: offsets.MaxMetadata,
		log:           e.log.WithValues("member", number),
		readCommitted: e.cfg.Input.IsolationLevel == config.ReadCommitted,
	}
	m.hard, m.giveUp = context.WithCancel(context.Background())
	m.setState("joining")
	return m
}

func (m *member) setState(s string) { m.state.Store(&s) }

// run is the member's life: start the stages, feed until the drain is over,
// and end the stages in the order of the data path.
func (m *member) run(ctx context.Context) {
	if err := m.start(ctx); err != nil {
		if ctx.Err() == nil {
			m.e.fail(err, false)
		}
		return
	}
	groupDone := make(chan struct{})
	groupCtx, endGroup := context.WithCancel(context.Background())
	go func() {
		defer close(groupDone)
		if err := m.group.Run(groupCtx); err != nil && groupCtx.Err() == nil {
			m.e.fail(err, false) // this member's partitions are lost, the others' are not
		}
	}()
	var beside sync.WaitGroup
	besideCtx, endBeside := context.WithCancel(m.hard)
	beside.Go(func() { m.commitRegularly(besideCtx) })
	beside.Go(func() { m.sampleRegularly(besideCtx) })
	beside.Go(func() { m.sweepRegularly(besideCtx) })

	m.feed(ctx)

	endBeside()
	beside.Wait()
	m.leave()
	endGroup()
	<-groupDone
	m.end()
}

// start connects the stages.
func (m *member) start(ctx context.Context) error {
	cfg := m.e.cfg
	if err := m.openWriters(ctx); err != nil {
		return err
	}
	m.fetcher = m.e.client.NewFetcher(kafka.FetcherConfig{
		Topic: cfg.Input.Topic, Isolation: cfg.Input.IsolationLevel, MaxMemory: int64(cfg.InFlight.Bytes), Logger: m.log,
		OnThrottle: func(broker int32, d time.Duration) { m.e.throttled(inputPlace, "fetch", broker, d) },
	})
	m.pool = m.newPool()
	m.group = m.e.client.NewMember(kafka.MemberConfig{
		GroupID: cfg.Input.GroupID, Topic: cfg.Input.Topic, InstanceID: m.instanceID(), StateFile: m.stateFile(),
		SessionTimeout: cfg.Input.SessionTimeout.Duration,
		// A drain may take its whole timeout and must not be what throws the
		// member out of the group.
		RebalanceTimeout: max(time.Minute, 2*cfg.DrainTimeout.Duration),
		Handler:          (*assignments)(m),
		Logger:           m.log,
	})
	m.joined.Store(m.group)
	return nil
}

func (m *member) newPool() *dispatch.Pool {
	return dispatch.New(dispatch.Config{
		Goroutines: m.e.concurrency(),
		BatchSize:  m.e.code.BatchSize(),
		Timeout:    m.e.cfg.Failure.Timeout.Duration,
		NewWorker:  func() dispatch.Worker { return newAttempt(m, m.e.code.BatchSize()) },
		Observe:    m.e.metrics.ObserveProcessing,
		Waits:      func(it dispatch.Item) { it.Chunk.Owner.(*chunk).straggles(int(it.Index)) },
		MaxLost:    m.e.maxLost,
		OnLost:     m.lostGoroutine,
		OnOverload: func(err error) { m.e.fail(err, false) },
	})
}

func (m *member) instanceID() string {
	id := m.e.cfg.Input.InstanceID
	if id != "" && m.number > 0 {
		id = fmt.Sprintf("%s-%d", id, m.number)
	}
	return id
}

// stateFile is where the membership is noted, "" for nowhere.
func (m *member) stateFile() string {
	if m.e.cfg.StateDir == "" {
		return ""
	}
	return filepath.Join(m.e.cfg.StateDir, fmt.Sprintf("member-%d.json", m.number))
}

// leave ends the membership, so that others need not wait for its session to
// time out.
func (m *member) leave() {
	m.setState("left")
	ctx, cancel := context.WithTimeout(context.Background(), config.LeaveTimeout)
	defer cancel()
	if err := m.group.Leave(ctx); err != nil {
		m.log.Info("could not leave the consumer group; its session will time out", "error", err.Error())
	}
}

// end stops the stages. Nothing that matters is in them any more.
func (m *member) end() {
	m.giveUp()
	m.fetcher.Close()
	ctx, cancel := context.WithTimeout(context.Background(), config.EndTimeout/2)
	defer cancel()
	if err := m.pool.Close(ctx); err != nil {
		m.log.Info("left attempts behind", "reason", err.Error())
	}
	m.writers.close()
}

// placement is where an output goes: where Kafka's default partitioner puts its
// key. Without a key, records of a partition stay together if there is an order
// to keep; otherwise they go round by chunks, which fills batches. Only Partition
// promises an order of records without a key, and so waits for a partition that
// can't be written to.
func (m *member) placement(c *chunk, rec *record.Record, key []byte) kafka.Placement {
	switch {
	case key != nil:
		return kafka.ByKey()
	case m.e.cfg.Ordering == config.Unordered:
		return kafka.Anywhere(c.number)
	case m.e.cfg.Ordering == config.Key:
		return kafka.Anywhere(uint32(rec.Partition))
	default:
		return kafka.At(uint32(rec.Partition))
	}
}

// wakeFeeder makes the feeder look around; it never blocks.
func (m *member) wakeFeeder() {
	m.wake.Notify()
}

// post hands the feeder something to do; it never blocks.
func (m *member) post(f func()) {
	m.mu.Lock()
	m.posted = append(m.posted, f)
	m.mu.Unlock()
	m.wakeFeeder()
}

func (m *member) runPosted() {
	m.mu.Lock()
	posted := m.posted
	m.posted = nil
	m.mu.Unlock()
	for _, f := range posted {
		f()
	}
}
