package kafka

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	"github.com/segmentio/kafka-go/protocol/leavegroup"
)

// MemberConfig sets up a Member.
type MemberConfig struct {
	GroupID string
	// Topic is what the member subscribes to; other members may subscribe to
	// others.
	Topic string
	// InstanceID makes the membership static; "" is a dynamic member.
	InstanceID string
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
	Assigned(generation int32, partitions []int32)
	// Revoked: partitions that somebody else is to have. They stay ours until
	// Release.
	Revoked(generation int32, partitions []int32)
	// Lost: partitions that are not ours any more. Nothing of them may be
	// committed, and Commit refuses to.
	Lost(partitions []int32, err error)
}

// ErrNotOwned: the partition is not this member's.
var ErrNotOwned = errors.New("the partition is not owned by this member")

// Member is a member of a consumer group whose partitions stay with it across
// rebalances unless they have to move ("cooperative-sticky"). Its methods are
// safe for concurrent use; Run is called once.
type Member struct {
	c   *Client
	cfg MemberConfig
	log logr.Logger

	coordinatorID atomic.Int32
	rejoin        chan struct{} // holds a token when the member has to join again
	stopRun       context.CancelFunc
	stopped       context.Context

	// fence is held for reading from the check of who owns a partition to the
	// answer to its commit, and for writing when partitions are given up.
	fence sync.RWMutex

	mu         sync.Mutex
	id         string           // guarded by mu
	generation int32            // guarded by mu
	joined     bool             // guarded by mu
	leader     bool             // guarded by mu
	owned      map[int32]bool   // true while draining; guarded by mu
	counts     map[string]int32 // of the topics, when we led last; guarded by mu
	order      []int32          // of owned, oldest first; guarded by mu
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
		rejoin: make(chan struct{}, 1), generation: -1, owned: make(map[int32]bool),
	}
	m.coordinatorID.Store(-1)
	m.stopped, m.stopRun = context.WithCancel(context.Background())
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

// Joined reports whether the member is in the group.
func (m *Member) Joined() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.joined
}

// Run joins the group and stays in it until Leave is called or ctx is done,
// which is no error. An error says why the member can't be in the group.
func (m *Member) Run(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(m.stopped, cancel)()
	var pause backoff
	for ctx.Err() == nil {
		err := m.join(ctx)
		if err == nil {
			pause.reset()
			err = m.stay(ctx)
		}
		switch {
		case err == nil || ctx.Err() != nil || errors.Is(err, errRejoin):
			continue
		case !retriable(err):
			return groupError(m.cfg.GroupID, err)
		}
		m.log.Info("could not reach the group's coordinator; trying again", "error", err.Error())
		if pause.wait(ctx) != nil {
			return nil
		}
	}
	return nil
}

// Release gives up partitions that were revoked, after their last commit.
func (m *Member) Release(partitions []int32) {
	m.fence.Lock()
	m.mu.Lock()
	for _, p := range partitions {
		m.disown(p)
	}
	m.mu.Unlock()
	m.fence.Unlock()
	signalOnce(m.rejoin)
}

// disown needs mu.
func (m *Member) disown(p int32) {
	delete(m.owned, p)
	m.order = slices.DeleteFunc(m.order, func(o int32) bool { return o == p })
}

func signalOnce(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// lose gives up everything, because the coordinator has: forget says that the
// member's id is not known any more.
func (m *Member) lose(err error, forget bool) {
	m.fence.Lock()
	m.mu.Lock()
	lost := slices.Clone(m.order)
	clear(m.owned)
	m.order = nil
	m.generation, m.joined = -1, false
	if forget {
		m.id = ""
	}
	m.mu.Unlock()
	m.fence.Unlock()
	if len(lost) > 0 {
		m.cfg.Handler.Lost(lost, err)
	}
}

// Leave ends Run and takes the member out of the group, so that others get its
// partitions at once. Static members stay for their session: they are expected
// back. Nothing can be committed afterwards.
func (m *Member) Leave(ctx context.Context) error {
	m.stopRun()
	m.fence.Lock()
	m.mu.Lock()
	id := m.id
	clear(m.owned)
	m.order, m.joined = nil, false
	m.mu.Unlock()
	m.fence.Unlock()
	if id == "" || m.cfg.InstanceID != "" {
		return nil
	}
	res, err := m.askGroup(ctx, &leavegroup.Request{
		GroupID: m.cfg.GroupID, MemberID: id, Members: []leavegroup.RequestMember{{MemberID: id}},
	})
	if err == nil {
		err = leaveGroupError(res.(*leavegroup.Response))
	}
	if err != nil {
		return groupError(m.cfg.GroupID, err)
	}
	return nil
}
