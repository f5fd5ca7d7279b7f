package kafka

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/internal/signal"
)

// MemberConfig sets up a Member.
type MemberConfig struct {
	GroupID string
	// Topic is what the member subscribes to; other members may subscribe to
	// others.
	Topic string
	// InstanceID makes the membership static; "" is a dynamic member.
	InstanceID string
	// StateFile is where a dynamic member notes who it is, so that whoever is
	// started with the same file after it was killed takes it out of the group
	// at once. No two members may have one at the same time. "" is none.
	StateFile string
	// SessionTimeout is how long a silent member stays in the group; 0 is 45 s.
	SessionTimeout time.Duration
	// RebalanceTimeout is how long a member may take to rejoin; 0 is a minute.
	RebalanceTimeout time.Duration
	// HeartbeatInterval is 0 for a third of the session timeout, at most 3 s.
	HeartbeatInterval time.Duration
	Handler           MemberHandler
	Logger            logr.Logger
}

// MemberHandler is told which partitions of the topic are the member's. Its
// methods are called from the goroutine of Run, in order, and must not block.
type MemberHandler interface {
	// Assigned: partitions that are newly ours, in each generation, perhaps
	// none.
	Assigned(generation int32, assigned []*Assignment)
	// Revoked: partitions that another member is to have. They stay ours until
	// Release.
	Revoked(generation int32, revoked []*Assignment)
	// Lost: partitions that are not ours any more. Nothing of them may be
	// committed, and Commit refuses to.
	Lost(lost []*Assignment, err error)
}

// Assignment is one time that a partition is this member's, from Assigned to
// Release or Lost. A partition that comes back is another Assignment, and what
// belongs to the earlier one can neither commit nor release it.
type Assignment struct {
	// Partition does not change.
	Partition int32
	draining  bool // guarded by Member.mu
}

// ErrNotOwned says that an Assignment is over: the partition is not this
// member's, or it is under another Assignment.
var ErrNotOwned = errors.New("the partition is not owned by this member under that assignment")

// Member is a member of a consumer group whose partitions stay with it across
// rebalances unless they have to move ("cooperative-sticky"). Its methods are
// safe for concurrent use; Run is called once.
//
// Run's goroutine joins and calls the handler; beside it one sends heartbeats
// all the time, so that neither a drain nor a slow rebalance costs the
// membership, and one looks for new partitions of the topics.
type Member struct {
	c   *Client
	cfg MemberConfig
	log logr.Logger

	coordinatorID atomic.Int32
	rejoin        signal.Signal // the member has to join again
	stopRun       context.CancelFunc
	stopped       context.Context
	ended         chan struct{} // closed at the end of Run
	applied       signal.Signal // there is a new assignment
	watchInterval time.Duration // how often new partitions are looked for
	noted         string        // the id in the StateFile; of Run's goroutine

	// fence is held for reading from the check of who owns a partition to the
	// answer to its commit, and for writing when partitions are given up. It is
	// taken before mu.
	fence      sync.RWMutex
	commits    context.Context    // of commits under way; guarded by fence
	cutCommits context.CancelFunc // ends them; guarded by mu

	mu         sync.Mutex
	running    bool                  // Run was called; guarded by mu
	id         string                // guarded by mu
	generation int32                 // of the last answer to JoinGroup; guarded by mu
	joined     bool                  // has the assignment of generation; guarded by mu
	leader     bool                  // guarded by mu
	owned      map[int32]*Assignment // by partition; guarded by mu
	order      []*Assignment         // of owned, oldest first; guarded by mu
	counts     map[string]int32      // of partitions, as last known by who has to watch them; guarded by mu

	// joining is set from the first JoinGroup to the one that succeeds. The
	// coordinator may be in the next generation meanwhile, if an answer got
	// lost: that it does not know the old one means nothing. Guarded by mu.
	joining    bool
	cancelJoin context.CancelFunc // of the join or sync under way; guarded by mu
	expelled   *expulsion         // what Run has to act on; guarded by mu
}

// NewMember returns a member; Run makes it join.
func (c *Client) NewMember(cfg MemberConfig) *Member {
	if cfg.SessionTimeout == 0 {
		cfg.SessionTimeout = 45 * time.Second
	}
	if cfg.RebalanceTimeout == 0 {
		cfg.RebalanceTimeout = time.Minute
	}
	if cfg.HeartbeatInterval == 0 {
		cfg.HeartbeatInterval = min(cfg.SessionTimeout/3, 3*time.Second)
	}
	m := &Member{
		c: c, cfg: cfg, log: cfg.Logger.WithValues("group", cfg.GroupID),
		rejoin: signal.New(), ended: make(chan struct{}), applied: signal.New(),
		generation: noGeneration, owned: make(map[int32]*Assignment), watchInterval: topicWatchInterval,
	}
	m.coordinatorID.Store(-1)
	m.stopped, m.stopRun = context.WithCancel(context.Background())
	m.commits, m.cutCommits = context.WithCancel(context.Background())
	return m
}

// ID returns the member id that the coordinator gave, "" before it did.
func (m *Member) ID() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.id
}

// Generation returns the group's generation that the member is in, -1 for none.
func (m *Member) Generation() int32 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.generation
}

// Joined reports whether the member is in the group and has an assignment,
// which may be empty. It stays true while the member joins again.
func (m *Member) Joined() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.joined
}

// Release gives up partitions that were revoked, after their last commit, so
// that the member joins again without them. It waits for commits under way.
// Assignments that are over already change nothing.
func (m *Member) Release(released []*Assignment) {
	m.fence.Lock()
	m.mu.Lock()
	before := len(m.owned)
	for _, a := range released {
		if m.owns(a) {
			delete(m.owned, a.Partition)
		}
	}
	m.order = slices.DeleteFunc(m.order, func(a *Assignment) bool { return !m.owns(a) })
	changed := len(m.owned) < before
	m.mu.Unlock()
	m.fence.Unlock()
	if changed {
		// After the list has changed: a join that receives this signal sees the change.
		m.rejoin.Notify()
	}
}

// owns reports whether an assignment is in force. It needs mu.
func (m *Member) owns(a *Assignment) bool { return m.owned[a.Partition] == a }

// disownAll takes all partitions away from this member and returns them. No
// commit of theirs is under way afterwards.
func (m *Member) disownAll() []*Assignment {
	m.mu.Lock()
	m.cutCommits() // a coordinator that hangs must not hold up who waits for the fence
	m.mu.Unlock()
	m.fence.Lock()
	defer m.fence.Unlock()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.commits, m.cutCommits = context.WithCancel(context.Background())
	owned := m.order
	m.order, m.joined, m.leader = nil, false, false
	clear(m.owned)
	return owned
}
