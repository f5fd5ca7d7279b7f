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
	"github.com/millrace-dev/millrace/worker/internal/kafka/fetch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/group"
	"github.com/millrace-dev/millrace/worker/internal/telemetry"
)

// member is one member of the consumer group with its own data path.
type member struct {
	proc   *process
	number int
	log    logr.Logger

	mail   *mailbox // the feeder's
	roster roster
	state  memberState

	// working ends when the member gives up everything that is still in flight.
	working context.Context
	endWork context.CancelFunc

	// The stages, made by start.
	group    *group.Member
	fetcher  *fetch.Fetcher
	writers  writers
	pool     *dispatch.Pool
	chunks   chunks
	settler  *settler
	observer *observer
	exact    *transactions  // nil if delivery is not ExactlyOnce
	starting sync.WaitGroup // ends of aborted transactions
	commits  *committer
	acquirer *acquirer
	logEnds  *logEndLookups

	joined     atomic.Pointer[group.Member] // group, once the stages are made; for /status
	saturation telemetry.Rate               // of the pool
}

func newMember(proc *process, number int) *member {
	m := &member{proc: proc, number: number, mail: newMailbox(), log: proc.log.WithValues("member", number)}
	m.working, m.endWork = context.WithCancel(context.Background())
	m.state.set("joining")
	return m
}

// run is the member's life: start the stages, feed until the drain is over,
// and end the stages in the order of the data path.
func (m *member) run(ctx context.Context) {
	if err := m.start(ctx); err != nil {
		if ctx.Err() == nil {
			m.proc.fail(err, false)
		}
		return
	}
	groupDone := make(chan struct{})
	groupCtx, endGroup := context.WithCancel(context.Background())
	go func() {
		defer close(groupDone)
		if err := m.group.Run(groupCtx); err != nil && groupCtx.Err() == nil {
			m.proc.fail(err, false) // this member's partitions are lost, the others' are not
		}
	}()
	var beside sync.WaitGroup
	besideCtx, endBeside := context.WithCancel(m.working)
	beside.Go(func() { m.commits.run(besideCtx) })
	beside.Go(func() { m.sampleRegularly(besideCtx) })
	beside.Go(func() { m.sweepRegularly(besideCtx) })

	m.newFeeder().run(ctx)

	endBeside()
	beside.Wait()
	m.starting.Wait()
	m.leave()
	endGroup()
	<-groupDone
	m.end()
}

// start makes the stages and connects those that others connect through.
func (m *member) start(ctx context.Context) error {
	cfg := m.proc.cfg
	exactly := cfg.Delivery == config.ExactlyOnce
	m.writers = writers{proc: m.proc, log: m.log}
	m.observer = &observer{proc: m.proc, keep: exactly}
	m.settler = &settler{proc: m.proc, feeder: m.mail, writers: &m.writers, chunks: &m.chunks, observer: m.observer}
	if exactly {
		m.exact = newTransactions(m)
		m.writers.exact, m.settler.exact = m.exact, m.exact
	}
	if err := m.writers.open(ctx, m.settler); err != nil {
		return err
	}
	input := m.proc.clusters.input
	m.fetcher = fetch.New(input, fetch.Config{
		Topic: cfg.Input.Topic, Isolation: cfg.Input.IsolationLevel, MaxMemory: int64(cfg.InFlight.Bytes), Logger: m.log,
		OnThrottle: func(broker int32, d time.Duration) { m.proc.throttled(inputPlace, "fetch", broker, d) },
	})
	m.pool = m.newPool()
	m.group = group.New(input, group.Config{
		GroupID: cfg.Input.GroupID, Topic: cfg.Input.Topic, InstanceID: m.instanceID(), StateFile: m.stateFile(),
		SessionTimeout: cfg.Input.SessionTimeout.Duration,
		// A drain may take its whole timeout, and must not cost the member its
		// place in the group.
		RebalanceTimeout: max(time.Minute, 2*cfg.DrainTimeout.Duration),
		Handler:          &groupEvents{feeder: m.mail, metrics: m.proc.metrics},
		Logger:           m.log,
	})
	m.commits = newCommitter(m.proc, m.log, m.group, m.mail, &m.roster)
	if m.exact != nil {
		m.commits.exact = m.exact
		m.exact.group, m.exact.commits, m.exact.producer = m.group, m.commits, m.writers.results
	}
	m.acquirer = &acquirer{
		proc: m.proc, log: m.log, group: m.group, commits: m.commits, feeder: m.mail, working: m.working, exact: m.exact,
	}
	m.logEnds = &logEndLookups{proc: m.proc, log: m.log, feeder: m.mail, working: m.working}
	m.joined.Store(m.group)
	return nil
}

// newFeeder makes the feeder for the goroutine that runs it. The member keeps no
// reference: nothing but that goroutine can touch the feeder's state.
func (m *member) newFeeder() *feeder {
	h := &holdings{
		proc: m.proc, mail: m.mail, roster: &m.roster, fetcher: m.fetcher, chunks: &m.chunks, commits: m.commits,
		working: m.working, readers: make(map[int32]*reader),
	}
	d := &drains{
		proc: m.proc, log: m.log, mail: m.mail, holdings: h, group: m.group, exact: m.exact,
		ends: &drainEnds{
			proc: m.proc, log: m.log, mail: m.mail, commits: m.commits, pool: m.pool, writers: &m.writers, working: m.working,
		},
	}
	a := &assignments{
		proc: m.proc, log: m.log, state: &m.state, mail: m.mail, group: m.group, holdings: h, drains: d, acquirer: m.acquirer, endWork: m.endWork,
		exact: m.exact, starting: &m.starting,
	}
	halts := &halts{log: m.log, topic: m.proc.cfg.Input.Topic, mail: m.mail}
	return &feeder{
		proc: m.proc, log: m.log, mail: m.mail, fetcher: m.fetcher, pool: m.pool, working: m.working,
		holdings: h, drains: d, assignments: a, halts: halts,
		gaps: &gaps{
			proc: m.proc, losses: losses{proc: m.proc, log: m.log}, logEnds: m.logEnds, halts: halts, assignments: a,
			commits: m.commits, chunks: &m.chunks,
		},
		decoder: &decoder{
			proc: m.proc, mail: m.mail, chunks: &m.chunks, commits: m.commits, observer: m.observer,
			room: &room{limits: m.proc.cfg.InFlight, holdings: h, fetcher: m.fetcher, mail: m.mail},
		},
		readCommitted: m.proc.cfg.Input.IsolationLevel == config.ReadCommitted,
	}
}

func (m *member) newPool() *dispatch.Pool {
	limits := m.proc.code.BatchLimits()
	return dispatch.New(dispatch.Config{
		Goroutines: m.proc.concurrency(),
		BatchSize:  limits.Records,
		BatchBytes: limits.Bytes,
		Linger:     limits.Linger,
		Timeout:    m.proc.cfg.Failure.Timeout.Duration,
		NewWorker:  func() dispatch.Worker { return newAttempt(m.settler) },
		Observe:    m.proc.metrics.ObserveProcessing,
		Waits:      func(it dispatch.Item) { it.Chunk.Owner.(*chunk).straggles(int(it.Index)) },
		MaxLost:    m.proc.maxLost,
		OnLost:     m.lostGoroutine,
		OnOverload: func(err error) { m.proc.fail(err, false) },
	})
}

func (m *member) instanceID() string {
	id := m.proc.cfg.Input.InstanceID
	if id != "" && m.number > 0 {
		id = fmt.Sprintf("%s-%d", id, m.number)
	}
	return id
}

// stateFile is where the membership is noted, "" for nowhere.
func (m *member) stateFile() string {
	if m.proc.cfg.StateDir == "" {
		return ""
	}
	return filepath.Join(m.proc.cfg.StateDir, fmt.Sprintf("member-%d.json", m.number))
}

// leave ends the membership, so that others need not wait for its session to
// time out.
func (m *member) leave() {
	m.state.set("left")
	ctx, cancel := context.WithTimeout(context.Background(), config.LeaveTimeout)
	defer cancel()
	if m.exact != nil {
		m.exact.leave(ctx)
	}
	if err := m.group.Leave(ctx); err != nil {
		m.log.Info("could not leave the consumer group; its session will time out", "error", err.Error())
	}
}

// end stops the stages. Nothing that matters is in them any more.
func (m *member) end() {
	m.endWork()
	m.fetcher.Close()
	ctx, cancel := context.WithTimeout(context.Background(), config.EndTimeout/2)
	defer cancel()
	if err := m.pool.Close(ctx); err != nil {
		m.log.Info("left attempts behind", "reason", err.Error())
	}
	m.writers.close()
}
