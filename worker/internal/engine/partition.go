package engine

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/dispatch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/telemetry"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// partitionState is where a partition stands between its assignment and its
// release. Only the feeder changes it.
type partitionState int32

const (
	acquiring partitionState = iota // reading its committed offset
	active                          // being read
	careful                         // being read window by window after a crash
	halted                          // not read on, because of the error in halt
	draining                        // no longer read; waiting for what is in flight
	closing                         // its last commit is on the way
	released                        // over: nothing that was started under it may act any more
)

// String returns the state as /status shows it.
func (s partitionState) String() string {
	return [...]string{"acquiring", "running", "careful", "halted", "draining", "closing", "released"}[s]
}

// partition is one assignment of a partition to this member. A later
// assignment of the same partition is another value, so that nothing that was
// started under this one can touch that one.
type partition struct {
	id         int32
	assignment *kafka.Assignment // what commits and the release belong to
	state      atomic.Int32

	// Set before the partition is active, then constant.
	tracker *offsets.Tracker
	lanes   *dispatch.Lanes
	origin  offsets.Origin

	// The feeder's own.
	epoch     uint64
	set       *batch.Set   // being decoded
	waiting   []*batch.Set // fetched ahead
	ahead     *chunk       // decoded, and waiting to fit into the metadata
	expect    int          // records in the last chunk
	revoked   bool         // by the group, which waits for the release
	timer     *time.Timer  // of the drain timeout; nil before the drain
	suspect   suspect
	corruptAt int64 // position + 1 of the last damage seen
	// outOfRange counts how often in a row the log had no record to ask for.
	outOfRange int
	turning    *turning // how the log goes on; nil if it has no gap

	reach      reach
	aloneTried atomic.Bool // the attempt of the record that is tried alone is over

	records atomic.Int64 // in flight
	stuck   atomic.Int64 // of these, the ones that can't be settled; a drain does not wait for them
	bytes   atomic.Int64 // in flight
	settled atomic.Int64 // since the assignment
	end     logEnd
	epochs  epochHistory
	// cancelled keeps the pool from beginning attempts of the partition's records.
	cancelled atomic.Bool
	// owned ends when the partition is given up: results that come later are
	// dropped, for its next owner has the records.
	owned      context.Context
	disown     context.CancelFunc
	halting    halting
	failures   failures
	stragglers stragglers
	// backoffUntil is when the last backoff of the partition's records ends, as
	// the time since began.
	backoffUntil atomic.Int64
	rate         telemetry.Rate // of settling
	paused       atomic.Bool    // a bound is reached, as the feeder saw it last
	// foreign is set when the coordinator must not get the partition's offsets
	// any more, because the log that they belong to is gone.
	foreign atomic.Bool
	// halt says why the partition is not read on; nil if it is.
	halt atomic.Pointer[readingHalt]

	commit commitState
}

// commitState is what the coordinator has acknowledged. Guarded by the
// member's commitMu; committed is also read by /status.
type commitState struct {
	committed atomic.Int64
	offset    int64
	metadata  string
	// failure is why the last commit failed, nil if it did not; read by /status.
	failure atomic.Pointer[string]
}

func newPartition(ctx context.Context, a *kafka.Assignment) *partition {
	p := &partition{id: a.Partition, assignment: a}
	p.owned, p.disown = context.WithCancel(ctx)
	p.end.unknown()
	p.commit.committed.Store(-1)
	p.commit.offset = -1
	p.reach.written.Store(-1)
	return p
}

func (p *partition) is(states ...partitionState) bool {
	now := partitionState(p.state.Load())
	for _, s := range states {
		if s == now {
			return true
		}
	}
	return false
}

func (p *partition) to(s partitionState) { p.state.Store(int32(s)) }

func (p *partition) stopTimer() {
	if p.timer != nil {
		p.timer.Stop()
	}
}

// failures remembers the failed attempts of the partition's unsettled records.
type failures struct {
	count atomic.Int32 // len(byOffset), so that a partition without any costs nothing
	mu    sync.Mutex
	// byOffset is guarded by mu.
	byOffset map[int64]*failing
}

// failing is a record that has failed and is not settled.
type failing struct {
	attempts  int
	err       error
	keyHash   string
	exhausted bool
	condemned bool // not to be tried at all
}

// add counts n failed attempts of a record and returns how many it has had.
func (f *failures) add(rec *record.Record, n int, err error) int {
	offset := rec.Offset
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.byOffset == nil {
		f.byOffset = make(map[int64]*failing)
	}
	r := f.byOffset[offset]
	if r == nil {
		r = &failing{keyHash: keyHash(rec.Key)}
		f.byOffset[offset] = r
		f.count.Add(1)
	}
	r.attempts += n
	r.err = err
	return r.attempts
}

// condemn gives up a record that has not been dispatched, after n failed
// attempts.
func (f *failures) condemn(rec *record.Record, n int, err error) {
	f.add(rec, n, err)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.byOffset[rec.Offset].condemned = true
}

// exhaust marks a record as given up; false means that it already was.
func (f *failures) exhaust(offset int64) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	r := f.byOffset[offset]
	if r == nil || r.exhausted {
		return false
	}
	r.exhausted = true
	return true
}

// any reports whether a record of the partition has failed and is not settled.
func (f *failures) any() bool { return f.count.Load() > 0 }

// forget removes a settled record.
func (f *failures) forget(offset int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if _, ok := f.byOffset[offset]; ok {
		delete(f.byOffset, offset)
		f.count.Add(-1)
	}
}

// describe returns what /status shows of a record.
func (f *failures) describe(offset int64) (attempts int, keyHash string, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r := f.byOffset[offset]; r != nil {
		return r.attempts, r.keyHash, r.err
	}
	return 0, "", nil
}

// of returns the attempts and last error of a record, and whether it is
// condemned.
func (f *failures) of(offset int64) (attempts int, condemned bool, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if r := f.byOffset[offset]; r != nil {
		return r.attempts, r.condemned, r.err
	}
	return 0, false, nil
}
