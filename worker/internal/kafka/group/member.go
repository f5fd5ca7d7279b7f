package group

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/kafka"
)

// Config sets up a Member.
type Config struct {
	GroupID string
	// Topic is the topic that the member subscribes to. Other members of the
	// group may subscribe to other topics.
	Topic string
	// InstanceID makes the membership static; "" is a dynamic member.
	InstanceID string
	// StateFile is the file in which a dynamic member saves its member id. After
	// the process was killed, its successor reads the file and removes the old
	// member from the group at once. Two members must not use the same file at the
	// same time. "" is no file.
	StateFile string
	// SessionTimeout is how long a silent member stays in the group; 0 is 45 s.
	SessionTimeout time.Duration
	// RebalanceTimeout is how long a member may take to rejoin; 0 is a minute.
	RebalanceTimeout time.Duration
	// HeartbeatInterval is the time between two heartbeats; 0 is half a second, or a
	// third of the session timeout if that is less. After a rebalance they come five
	// to ten times as often for a while.
	HeartbeatInterval time.Duration
	Handler           Handler
	Logger            logr.Logger
}

// heartbeatInterval is much shorter than a session needs. Only the answer to a heartbeat
// tells a member of a rebalance, which ends when all members have joined again. So a
// partition that another member has given up waits for this long.
const heartbeatInterval = 500 * time.Millisecond

func (cfg *Config) setDefaults() {
	if cfg.SessionTimeout == 0 {
		cfg.SessionTimeout = 45 * time.Second
	}
	if cfg.RebalanceTimeout == 0 {
		cfg.RebalanceTimeout = time.Minute
	}
	if cfg.HeartbeatInterval == 0 {
		cfg.HeartbeatInterval = min(cfg.SessionTimeout/3, heartbeatInterval)
	}
}

// Handler receives the changes of the member's partitions. The goroutine
// of Run calls its methods, one after the other; they must not block.
type Handler interface {
	// Assigned: the member gets these partitions. Each generation calls it,
	// perhaps with none.
	Assigned(generation int32, assigned []*Assignment)
	// Revoked: these partitions go to another member. They stay with this one
	// until Release.
	Revoked(generation int32, revoked []*Assignment)
	// Lost: these partitions do not belong to the member any more. Commit refuses
	// their offsets.
	Lost(lost []*Assignment, err error)
}

// Assignment is one ownership of a partition, from Assigned to Release or Lost. A
// partition that comes back is another Assignment; the earlier one can neither
// commit nor release it.
type Assignment struct {
	// Partition does not change.
	Partition int32
	draining  bool // guarded by state.mu
}

// ErrNotOwned says that an Assignment is over: the member does not own the
// partition, or owns it under another Assignment.
var ErrNotOwned = errors.New("the partition is not owned by this member under that assignment")

// Member is a member of a consumer group. Its partitions stay with it across
// rebalances unless they have to move ("cooperative-sticky"). Its methods are safe
// for concurrent use; Run is called once.
//
// Run's goroutine joins and calls the handler (joiner). Two more goroutines run
// beside it: one sends heartbeats all the time (heartbeater), so that neither a
// drain nor a slow rebalance costs the membership, and one looks for new partitions
// of the topics (topicWatch). They share a state.
type Member struct {
	cfg       Config
	group     *coordinator
	state     *state
	joiner    *joiner
	heart     *heartbeater
	topics    *topicWatch
	committer *committer

	running atomic.Bool // Run was called
	stopRun context.CancelFunc
	stopped context.Context
	ended   chan struct{} // closed at the end of Run
}

// New returns a member; Run makes it join.
func New(c *kafka.Client, cfg Config) *Member {
	cfg.setDefaults()
	log := cfg.Logger.WithValues("group", cfg.GroupID)
	m := &Member{
		cfg:   cfg,
		group: newCoordinator(c, cfg.GroupID),
		state: newState(),
		ended: make(chan struct{}),
	}
	m.topics = newTopicWatch(c, cfg.Topic, cfg.InstanceID != "", m.state, log)
	m.joiner = &joiner{
		cfg: cfg, log: log, group: m.group, state: m.state, topics: m.topics,
		file: &stateFile{path: cfg.StateFile, group: cfg.GroupID, log: log}, repeatAfter: kafka.RequestTimeout,
	}
	m.heart = &heartbeater{cfg: cfg, log: log, group: m.group, state: m.state}
	m.committer = &committer{cfg: cfg, group: m.group, state: m.state}
	m.stopped, m.stopRun = context.WithCancel(context.Background())
	return m
}

// ID returns the member id that the coordinator gave, "" before it did.
func (m *Member) ID() string {
	id, _ := m.state.identity()
	return id
}

// Generation returns the group's generation that the member is in, -1 for none.
func (m *Member) Generation() int32 {
	_, generation := m.state.identity()
	return generation
}

// Joined reports whether the member is in the group and has an assignment,
// which may be empty. It stays true while the member joins again.
func (m *Member) Joined() bool { return m.state.hasAssignment() }

// Release gives up partitions that were revoked, after their last commit, so
// that the member joins again without them. It waits for commits under way.
// Assignments that are over already change nothing.
func (m *Member) Release(released []*Assignment) { m.state.release(released) }

// Withdraw asks the group to give the member's partitions to others. The member goes on
// with them until the others have joined again; then Revoked names them all. A member that
// only left would leave its partitions to nobody until the others learn of it. Leave comes
// after the last Release. Withdraw returns false if there is nothing to wait for: the
// member is in no group now, or it is static and so expected back.
func (m *Member) Withdraw() bool { return m.cfg.InstanceID == "" && m.state.withdraw() }

// Run joins the group and stays in it until Leave is called or ctx is done,
// which is no error. An error says why the member can't be in the group; then
// its partitions are Lost. A topic that does not exist is an ErrTopicNotFound at
// the start; later the member waits for the topic to come back. When Run returns,
// the member owns nothing.
func (m *Member) Run(ctx context.Context) error {
	m.running.Store(true)
	defer close(m.ended)
	ctx, cancel := context.WithCancel(ctx)
	defer context.AfterFunc(m.stopped, cancel)()
	var beside sync.WaitGroup
	beside.Go(func() { m.heart.run(ctx) })
	beside.Go(func() { m.topics.run(ctx) })
	err := m.topics.awaitTopic(ctx)
	if err == nil {
		m.joiner.removePredecessor(ctx)
		err = m.joiner.run(ctx)
	}
	cancel()
	beside.Wait()
	if err != nil {
		err = kafka.GroupError(m.cfg.GroupID, err)
		m.joiner.loseAll(err, true)
		return err
	}
	m.state.disownAll()
	return nil
}

// Leave ends Run and removes the member from the group, so that others get its
// partitions at once. It tries until ctx is done while the coordinator is away.
// Static members stay in the group for their session, since they are expected
// back. Nothing can be committed afterwards.
func (m *Member) Leave(ctx context.Context) error {
	m.stopRun()
	if m.running.Load() {
		// Before its end, Run could join again.
		select {
		case <-m.ended:
		case <-ctx.Done():
			return fmt.Errorf("leave consumer group %q: %w", m.cfg.GroupID, ctx.Err())
		}
	}
	id := m.ID()
	if id == "" || m.cfg.InstanceID != "" {
		return nil
	}
	if err := m.group.remove(ctx, id); err != nil && !errors.Is(err, kafkago.UnknownMemberId) {
		return fmt.Errorf("leave %w", kafka.GroupError(m.cfg.GroupID, err))
	}
	return nil
}
