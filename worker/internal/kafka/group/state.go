package group

import (
	"context"
	"errors"
	"slices"
	"sync"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/internal/kafka/assign"
	"github.com/millrace-dev/millrace/worker/internal/signal"
)

// state is the state that a member's goroutines share: its id, its
// generation and the partitions it owns.
type state struct {
	rejoin  signal.Signal // holds a token when the member has to join again
	applied signal.Signal // holds a token for the heartbeater after a rebalance

	// A commit holds fence for reading, from the check that it owns the partition
	// to the coordinator's response. Giving up partitions takes it for writing. It
	// is taken before mu.
	fence      *signal.SharedLock
	commits    context.Context    // of commits under way; guarded by fence
	cutCommits context.CancelFunc // ends them; guarded by mu

	mu         sync.Mutex
	id         string                // guarded by mu
	generation int32                 // of the last response to JoinGroup; guarded by mu
	joined     bool                  // has the assignment of generation; guarded by mu
	leader     bool                  // guarded by mu
	owned      map[int32]*Assignment // by partition; guarded by mu
	order      []*Assignment         // of owned, oldest first; guarded by mu
	// joining is set from the first JoinGroup request to the one that succeeds. If a
	// response got lost, the coordinator may be in the next generation by then, and
	// its refusal of the old generation means nothing. Guarded by mu.
	joining    bool
	withdrawn  bool               // wants no partitions any more; guarded by mu
	cancelJoin context.CancelFunc // of the join or sync under way; guarded by mu
	expelled   *expulsion         // for the joiner to act on; guarded by mu
}

// expulsion is a coordinator's response to a heartbeat or a commit: the group has
// no such member.
type expulsion struct {
	id         string
	generation int32
	err        error
}

func newState() *state {
	s := &state{
		rejoin:     signal.New(),
		applied:    signal.New(),
		fence:      signal.NewSharedLock(),
		generation: assign.NoGeneration,
		owned:      make(map[int32]*Assignment),
	}
	s.commits, s.cutCommits = context.WithCancel(context.Background())
	return s
}

func (s *state) identity() (id string, generation int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.id, s.generation
}

func (s *state) hasAssignment() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.joined
}

// leads reports whether the member leads the group, as far as it knows.
func (s *state) leads() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.joined && s.leader
}

// release does the work of Member.Release.
func (s *state) release(released []*Assignment) {
	s.fence.Lock()
	s.mu.Lock()
	before := len(s.owned)
	for _, a := range released {
		if s.owns(a) {
			delete(s.owned, a.Partition)
		}
	}
	s.order = slices.DeleteFunc(s.order, func(a *Assignment) bool { return !s.owns(a) })
	changed := len(s.owned) < before
	if s.withdrawn && len(s.owned) == 0 {
		changed = false // the member leaves now, which has the same effect
	}
	s.mu.Unlock()
	s.fence.Unlock()
	if changed {
		// After the list has changed, so that the join that takes this token sees it.
		s.rejoin.Notify()
	}
}

// owns reports whether an assignment is in force. It needs mu.
func (s *state) owns(a *Assignment) bool { return s.owned[a.Partition] == a }

// disownAll takes all partitions away from this member and returns them. When it
// returns, no commit of theirs is under way.
func (s *state) disownAll() []*Assignment {
	s.mu.Lock()
	s.cutCommits() // a coordinator that hangs must not delay the fence
	s.mu.Unlock()
	s.fence.Lock()
	defer s.fence.Unlock()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.commits, s.cutCommits = context.WithCancel(context.Background())
	owned := s.order
	s.order, s.joined, s.leader = nil, false, false
	clear(s.owned)
	return owned
}

// leaveGeneration forgets the generation, and the member's id if forgetID is true.
func (s *state) leaveGeneration(forgetID bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.generation = assign.NoGeneration
	if forgetID {
		s.id = ""
	}
}

// splitOwned divides offsets into those whose assignments are in force and the
// others, and returns the identity to commit under.
func (s *state) splitOwned(offsets []CommitOffset) (owned []CommitOffset, refused []FailedCommit, as identity) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range offsets {
		if s.owns(o.Assignment) {
			owned = append(owned, o)
		} else {
			refused = append(refused, FailedCommit{o.Assignment, o.Offset, ErrNotOwned})
		}
	}
	return owned, refused, identity{s.id, s.generation}
}

// beginJoin starts a join that cancel cuts short. It returns the expulsion that
// came before, if it still concerns this member.
func (s *state) beginJoin(cancel context.CancelFunc) *expulsion {
	// A token that comes from here on is for the next join.
	select {
	case <-s.rejoin:
	default:
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	e := s.expelled
	s.expelled, s.cancelJoin = nil, cancel
	if e != nil && !s.concernedBy(e) {
		return nil
	}
	return e
}

// claims returns the identity to join with and the partitions that the member
// owns. Those that it drains come last: assignors take from the end.
func (s *state) claims() (id string, generation int32, partitions []int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.joining = true
	var draining []int32
	for _, a := range s.order {
		if a.draining {
			draining = append(draining, a.Partition)
		} else {
			partitions = append(partitions, a.Partition)
		}
	}
	// The generation is that of the last join, complete or not: its leader knew
	// these claims and has assigned nothing against them.
	return s.id, s.generation, append(partitions, draining...)
}

// joinedAs stores the id and the generation of a join that succeeded.
func (s *state) joinedAs(id string, generation int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id, s.generation, s.joining = id, generation, false
}

// setID stores the id that the coordinator gives before the join.
func (s *state) setID(id string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.id = id
}

// apply stores an assignment. It returns the partitions that the member did not own
// before, and those that it has to give up.
func (s *state) apply(leader bool, partitions []int32) (added, revoked []*Assignment) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.joined, s.leader = true, leader
	s.applied.Notify()
	for _, p := range partitions {
		if s.owned[p] == nil {
			a := &Assignment{Partition: p}
			added = append(added, a)
			s.owned[p] = a
			s.order = append(s.order, a)
		}
	}
	for _, a := range s.order {
		if !a.draining && !slices.Contains(partitions, a.Partition) {
			a.draining = true
			revoked = append(revoked, a)
		}
	}
	return added, revoked
}

// withdraw makes the member join again without a wish for partitions. It returns false if
// the member is in no generation.
func (s *state) withdraw() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.joined || s.generation == assign.NoGeneration {
		return false
	}
	s.withdrawn = true
	s.rejoin.Notify()
	return true
}

func (s *state) isWithdrawn() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.withdrawn
}

// joinAgain makes the joiner join again after a rebalance of the generation,
// unless it does so already.
func (s *state) joinAgain(generation int32) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.joining && s.generation == generation {
		s.rejoin.Notify()
	}
}

// outdated reports whether the member is in another generation, or about to be.
func (s *state) outdated(generation int32) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.joining || s.generation != generation
}

// expel makes the joiner act on an expulsion. It cuts short a join under way, which
// may wait long for a broker that does not coordinate the group any more.
func (s *state) expel(e *expulsion) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.concernedBy(e) {
		return
	}
	s.expelled = e
	if s.cancelJoin != nil {
		s.cancelJoin()
	}
	s.rejoin.Notify()
}

// concernedBy reports whether an expulsion is about the present membership. It
// needs mu.
func (s *state) concernedBy(e *expulsion) bool {
	return e.id == s.id && (e.generation == s.generation || !errors.Is(e.err, kafkago.IllegalGeneration))
}

func (s *state) isExpelled() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.expelled != nil
}
