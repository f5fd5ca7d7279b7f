package engine

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/internal/kafka/group"
	"github.com/millrace-dev/millrace/worker/internal/kafka/txn"
)

// The reasons for which transactions are aborted, as metrics and /status show them. The
// producer has more.
const (
	abortLost     = "PartitionsLost"
	abortRefused  = "RecordRefused"
	abortOffsets  = "OffsetsRefused"
	abortMetadata = "MetadataTooLarge"
	abortTimeout  = "Timeout"
	abortFenced   = "Fenced"
	abortEnded    = "EndedByCoordinator"
	abortUnknown  = "UnknownOutcome"
)

// abortion says why a transaction can't be committed.
type abortion struct {
	reason string
	err    error
}

// Error implements error.
func (a *abortion) Error() string {
	return fmt.Sprintf("the transaction is aborted (%s): %v", a.reason, a.err)
}

// Unwrap returns the cause.
func (a *abortion) Unwrap() error { return a.err }

// era is the time between two abortions.
type era struct {
	ctx      context.Context // of the commits; ends with the era
	end      context.CancelFunc
	abortion atomic.Pointer[abortion]
}

func newEra(working context.Context) *era {
	e := &era{}
	e.ctx, e.end = context.WithCancel(working)
	return e
}

// abort makes the member start over, once for each era. It never blocks.
func (t *transactions) abort(reason string, err error) {
	e := t.era.Load()
	if !e.abortion.CompareAndSwap(nil, &abortion{reason, err}) {
		return
	}
	e.end()
	if t.working.Err() == nil {
		t.counts.Aborted(reason)
		t.log.Info("aborting the transaction; its records are processed again", "reason", reason, "error", err.Error())
	}
	t.feeder.post(func(f *feeder) { f.assignments.startOver() })
}

// startOver forgets everything that the member has in memory of its partitions, and
// acquires them again from the group's offsets when the transaction has ended. The group
// does not notice. Partitions that were to be given up are closed as soon as they are
// acquired, so that their next owners suspect no record.
func (a *assignments) startOver() {
	before := slices.Collect(maps.Values(a.holdings.readers))
	a.holdings.forget(before...)
	var kept []*group.Assignment
	for _, r := range before {
		kept = append(kept, r.assignment)
	}
	parts := a.holdings.add(kept...)
	for i, r := range before {
		if r.revoked || a.stopping {
			again := a.holdings.of(parts[i])
			again.revoked, again.drainUntil = r.revoked, r.drainUntil
			a.drains.begin(again)
		}
	}
	a.starting.Go(func() {
		a.exact.startAgain()
		if len(parts) > 0 {
			go a.acquirer.acquire(parts)
		}
	})
}

// fencedPause is how long the member waits after another one has taken its transactional
// id. If the partition has another owner, the group says so within that time.
const fencedPause = time.Second

// startAgain ends everything that the aborted transaction has left in the producer and at
// the coordinator. The feeder has given up all partitions before.
func (t *transactions) startAgain() {
	t.commits.mu.Lock()
	defer t.commits.mu.Unlock()
	if t.working.Err() != nil {
		return // leave ends the transaction
	}
	t.starts.Add(1)
	t.producer.PrepareCut()
	t.gate.alone(func() {}) // results from now on are dropped: their partitions are given up
	t.producer.Reset()
	t.observer.take()
	t.size.Store(0)
	t.knownLimit = t.commits.metadataLimit
	if t.aborted++; t.aborted > 1 {
		_ = backoff.Sleep(t.working, t.pause.Next()) // nothing waits longer than the worker works
	}
	t.endAborted()
	t.era.Store(newEra(t.working))
}

// endAborted makes the coordinator end the transaction of the session, whatever its state
// is, and begins the next session under the same id if the member keeps the partition.
func (t *transactions) endAborted() {
	last := t.session
	t.session = nil
	if last == nil {
		return
	}
	former := last.Identity()
	for {
		ctx, cancel := context.WithTimeout(t.working, t.proc.cfg.Transaction.Timeout.Duration)
		s, err := t.openID(ctx, t.partition, former)
		cancel()
		kept := t.holds(t.partition)
		switch {
		case err == nil && kept:
			t.begin(s, t.partition)
			return
		case err == nil || !kept || !passes(err) || t.working.Err() != nil:
			return
		case errors.Is(err, txn.ErrFenced):
			former = noFormer
			_ = backoff.Sleep(t.working, fencedPause)
		}
		t.log.Info("waiting for the coordinator to end a transaction", "id", last.ID(), "error", err.Error())
	}
}

// leave ends a transaction that a member leaves open because it could not finish it, so
// that readers need not wait until it times out.
func (t *transactions) leave(ctx context.Context) {
	t.commits.mu.Lock()
	defer t.commits.mu.Unlock()
	if t.session == nil {
		return
	}
	t.producer.Reset() // or more might be sent, in a transaction that nobody ends
	if err := t.session.End(ctx, false); err != nil {
		t.log.Info("could not abort the transaction at the end; it will time out", "id", t.session.ID(), "error", err.Error())
	}
}
