package engine

import (
	"context"
	"sync/atomic"

	"github.com/millrace-dev/millrace/worker/internal/dispatch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/group"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
	"github.com/millrace-dev/millrace/worker/internal/telemetry"
)

// partitionState is a step of a partition between its assignment and its release. Only
// the feeder changes it.
type partitionState int32

const (
	acquiring partitionState = iota // reading its committed offset
	active                          // being read
	careful                         // being read window by window after a crash
	halted                          // not read on, because of the error in halt
	draining                        // no longer read; waiting for the records in flight
	closing                         // its last commit is on the way
	released                        // over: nothing that was started under it may act any more
)

// String returns the state as /status shows it.
func (s partitionState) String() string {
	return [...]string{"acquiring", "running", "careful", "halted", "draining", "closing", "released"}[s]
}

// partition is one assignment of a partition to this member, as all goroutines may see
// it. A later assignment of the same partition is another value, so that work that was
// started under this one can't touch the later one.
type partition struct {
	id         int32
	assignment *group.Assignment // for commits and the release
	state      atomic.Int32

	// Set before the partition is active, then constant.
	tracker *offsets.Tracker
	lanes   *dispatch.Lanes
	origin  offsets.Origin
	fenced  bool // nothing of a dead owner is left open
	// inherited is the suspicion that the last owner left.
	inherited suspect

	reach      reach
	aloneTried atomic.Bool // the attempt of the record that is tried alone is over

	records atomic.Int64 // in flight
	stuck   atomic.Int64 // of the records in flight: can't be settled, and a drain does not wait for them
	bytes   atomic.Int64 // in flight
	settled atomic.Int64 // since the assignment
	end     logEnd
	epochs  epochHistory
	// cancelled keeps the pool from beginning attempts of the partition's records.
	cancelled atomic.Bool
	// owned ends when the partition is given up: later results are dropped, since the
	// next owner has the records.
	owned        context.Context
	disown       context.CancelFunc
	unsettleable unsettleable
	failures     failures
	stragglers   stragglers
	// backoffUntil is when the last backoff of the partition's records ends, as
	// the time since began.
	backoffUntil atomic.Int64
	rate         telemetry.Rate // of settling
	paused       atomic.Bool    // a bound is reached, as the feeder saw it last
	// foreign is set when the coordinator must not get the partition's offsets
	// any more, because the log that they belong to is gone.
	foreign atomic.Bool
	// halt holds why the partition is not read on; nil if it is.
	halt atomic.Pointer[readingHalt]

	commit commitState
}

// commitState is the last commit that the coordinator has acknowledged, guarded by the
// committer's mu. Others may read the atomic fields.
type commitState struct {
	committed atomic.Int64
	offset    int64
	metadata  string
	pace      pace
	// failure is why the last commit failed, nil if it did not.
	failure atomic.Pointer[string]
}

func newPartition(ctx context.Context, a *group.Assignment) *partition {
	p := &partition{id: a.Partition, assignment: a}
	p.owned, p.disown = context.WithCancel(ctx)
	p.end.unknown()
	p.commit.committed.Store(-1)
	p.commit.offset = -1
	p.reach.acknowledged.Store(-1)
	return p
}

// inState reports whether the partition is in one of the states.
func (p *partition) inState(states ...partitionState) bool {
	now := partitionState(p.state.Load())
	for _, s := range states {
		if s == now {
			return true
		}
	}
	return false
}

// untried returns how many records in flight have not had an attempt.
func (p *partition) untried() int64 {
	return p.records.Load() - int64(p.failures.count.Load())
}

// awaitsCommit reports whether the partition is read so far beyond its committed
// offset that reading waits for a commit.
func (p *partition) awaitsCommit() bool {
	return p.tracker.Position()-p.commit.committed.Load() >= maxUncommitted && !p.foreign.Load()
}
