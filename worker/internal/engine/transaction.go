package engine

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/group"
	"github.com/millrace-dev/millrace/worker/internal/kafka/produce"
	"github.com/millrace-dev/millrace/worker/internal/kafka/txn"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/telemetry"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// maxTransactionBytes is the size of stored records at which a transaction ends before
// its interval. Readers of committed records see none of them before.
const maxTransactionBytes = 32 << 20

// transactions commit a member's results together with its offsets, so that readers of
// committed records see both or neither.
//
// Processing goes on while a transaction ends. The producer's queues are cut: results
// that were written before the cut belong to the transaction, and later ones are not sent
// before it has ended. Once everything before the cut is acknowledged, the settled
// records are therefore exactly those whose results are in the transaction, and the
// member commits their offsets in it.
//
// When the fate of a transaction is in doubt, the member starts over (startOver): it
// forgets the records in flight, makes the coordinator end the transaction, and reads on
// from the group's offsets, which show how the transaction ended.
type transactions struct {
	proc     *process
	log      logr.Logger
	client   *kafka.Client
	group    *group.Member
	producer *produce.Producer
	commits  *committer
	roster   *roster
	feeder   *mailbox
	working  context.Context

	gate      gate
	senders   *door // of the producer's goroutines
	observer  *observer
	condemned condemnations
	size      atomic.Int64 // bytes stored in the open transaction; above 0 if any record is
	era       atomic.Pointer[era]
	counts    *telemetry.Transactions
	starts    atomic.Uint64 // how often the member has started over
	idOf      atomic.Int32  // the partition whose id was opened last; -1 before the first
	// resumed is when the producer could send in the transaction under way; nil before the
	// first one. As a time.Time it does not depend on the wall clock.
	resumed atomic.Pointer[time.Time]

	// The fields below are guarded by committer.mu.

	session   *txn.Session    // nil while the member has no transactional id
	partition int32           // whose id the session has
	pause     backoff.Backoff // between two abortions in a row
	aborted   int             // since the last commit
	// knownLimit is the committer's limit of metadata at the beginning of the era.
	knownLimit int
}

// stored notes that records of a batch are stored. It makes the committer hurry when the
// transaction has become large.
func (t *transactions) stored(bytes int) {
	added := int64(max(bytes, 1))
	size := t.size.Add(added)
	if size == added {
		t.counts.Began(time.Now())
	}
	if size >= maxTransactionBytes {
		t.commits.soon()
	}
}

// commit ends the transaction under way, with the offsets of all partitions that may have
// results in it, and of parts, which may still be acquired. An error means that nothing
// is committed, and that the member starts over unless no transaction was under way.
// The caller holds committer.mu.
func (t *transactions) commit(parts []*partition) error {
	e := t.era.Load()
	if a := e.abortion.Load(); a != nil {
		return a
	}
	ctx, cancel := context.WithTimeout(e.ctx, t.proc.cfg.Transaction.Timeout.Duration)
	defer cancel()
	if ready, err := t.ready(ctx, t.participants(parts)); !ready || err != nil {
		if err != nil && anyClosing(parts) {
			// The next transaction would have the results that wait for an id, but not
			// their offsets.
			t.abort(abortReason(err), err)
		}
		return err
	}
	err := t.finish(ctx, e, parts)
	if err == nil {
		t.moveOn(ctx)
		return nil
	}
	t.abort(abortReason(err), err)
	return e.abortion.Load()
}

// anyClosing reports whether this is the last commit of a partition.
func anyClosing(parts []*partition) bool {
	return slices.ContainsFunc(parts, func(p *partition) bool { return p.inState(closing) })
}

// finish sends all results that were written before the call, and commits them.
func (t *transactions) finish(ctx context.Context, e *era, parts []*partition) error {
	used := false
	over := unfinished(parts)
	t.producer.PrepareCut() // so that nobody waits in a door for memory
	t.gate.alone(func() { used = t.producer.Cut() })
	if err := t.producer.FlushCut(ctx); err != nil {
		return fmt.Errorf("write the results of a transaction: %w", err)
	}
	t.discard(over)
	due, outcomes := t.settled(parts)
	if a := e.abortion.Load(); a != nil {
		return a // a partition that is lost has no checkpoint any more
	}
	if used || len(due) > 0 {
		if err := t.end(ctx, due); err != nil {
			return err
		}
	}
	for _, d := range due {
		t.commits.acknowledged(d)
		t.condemned.forget(d.p, d.offset)
	}
	t.observer.confirm(outcomes)
	return nil
}

// settled returns the checkpoints of the transaction, and the outcomes of the records that
// they have beyond the ones before.
func (t *transactions) settled(parts []*partition) ([]checkpoint, []record.Outcome) {
	t.observer.ending.Lock()
	defer t.observer.ending.Unlock()
	return t.commits.checkpoints(t.participants(parts)), t.observer.take()
}

// unfinished returns the partitions that are given up with records in flight.
func unfinished(parts []*partition) []*partition {
	return slices.DeleteFunc(slices.Clone(parts), func(p *partition) bool { return !p.givenUp() || p.records.Load() == 0 })
}

// discard drops the results of partitions that were given up before the cut. They were
// postponed, and the next owners process their records again.
func (t *transactions) discard(over []*partition) {
	if len(over) > 0 {
		t.producer.Discard(func(o batch.Origin) bool { return slices.Contains(over, o.Owner.(*chunk).part) })
	}
}

// end commits the transaction with the checkpoints in it.
func (t *transactions) end(ctx context.Context, due []checkpoint) error {
	start := time.Now()
	if err := t.addOffsets(ctx, due); err != nil {
		return err
	}
	// The coordinator refuses to commit a transaction without records and offsets.
	commit := t.size.Load() > 0 || len(due) > 0
	if err := t.session.End(ctx, commit); err != nil {
		return fmt.Errorf("end the transaction of %q: %w", t.session.ID(), err)
	}
	t.size.Store(0)
	if commit {
		t.aborted = 0
		t.pause.Reset()
		t.proc.metrics.ObserveCommit(time.Since(start))
		t.counts.Committed()
	}
	return nil
}

// participants returns the partitions that may have results in the transaction, and
// those of parts that are being acquired.
func (t *transactions) participants(parts []*partition) []*partition {
	var all []*partition
	for _, p := range t.roster.partitions() {
		if p.inState(active, careful, halted, draining, closing) {
			all = append(all, p)
		}
	}
	for _, p := range parts {
		if p.inState(acquiring) {
			all = append(all, p)
		}
	}
	return all
}

// addOffsets makes checkpoints part of the transaction. The map of the settled offsets
// above the watermark must be part of a checkpoint: without it, another owner would
// write the results of those records again.
func (t *transactions) addOffsets(ctx context.Context, due []checkpoint) error {
	for len(due) > 0 {
		if i := slices.IndexFunc(due, func(d checkpoint) bool { return d.lacksMap() }); i >= 0 {
			return t.noRoom(due[i])
		}
		err := t.group.CommitIn(ctx, t.session, commitOffsets(due))
		if err == nil {
			return nil
		}
		if due, err = t.shorten(due, err); err != nil {
			return err
		}
	}
	return nil
}

// shorten returns the checkpoints whose metadata was refused as too large, with less. All
// others that were refused are in the error.
func (t *transactions) shorten(sent []checkpoint, result error) (again []checkpoint, err error) {
	var failed []failedCommit
	for _, d := range sent {
		switch err := refusalOf(d.p, result); {
		case err == nil:
		case t.commits.shorten(&d, err):
			again = append(again, d)
		default:
			failed = append(failed, failedCommit{d.p, err})
		}
	}
	if len(failed) > 0 {
		return nil, commitError(failed)
	}
	return again, nil
}

// errNoRoomForMap says that a commit's metadata is too small for the map.
var errNoRoomForMap = errors.New("the brokers keep too little metadata with an offset (offset.metadata.max.bytes) " +
	"to note which records above it are settled, and delivery ExactlyOnce needs that: raise it to 4096")

// noRoom returns the error of a checkpoint whose map has no room. When the brokers' limit
// has just shown, the member starts over, and admits no more records than fit. If the
// limit was known before, the worker can't go on.
func (t *transactions) noRoom(d checkpoint) error {
	if t.commits.metadataLimit == t.knownLimit {
		t.proc.fail(errNoRoomForMap, false)
	}
	return fmt.Errorf("partition %d: %w", d.p.id, errNoRoomForMap)
}

// abortReason names the reason of an error for metrics.
func abortReason(err error) string {
	switch {
	case errors.Is(err, txn.ErrFenced):
		return abortFenced
	case errors.Is(err, txn.ErrAborted):
		return abortEnded
	case errors.Is(err, txn.ErrUnknown):
		return abortUnknown
	case errors.Is(err, errNoRoomForMap):
		return abortMetadata
	case errors.Is(err, group.ErrNotOwned):
		return abortLost
	case errors.Is(err, context.DeadlineExceeded):
		return abortTimeout
	default:
		return abortOffsets
	}
}

func newTransactions(m *member) *transactions {
	t := &transactions{
		proc: m.proc, log: m.log, client: m.proc.clusters.input, roster: &m.roster, feeder: m.mail, working: m.working,
		observer: m.observer, counts: m.proc.metrics.NewTransactions(), knownLimit: offsets.MaxMetadata,
	}
	t.senders = t.gate.newDoor()
	t.era.Store(newEra(m.working))
	t.idOf.Store(-1)
	return t
}

// condemn aborts the transaction because the brokers refuse a result of a record, and
// the same or another result of it may be stored. The record is not tried again.
func (t *transactions) condemn(c *chunk, i int, err error) {
	rec := &c.Records[i]
	t.condemned.add(c.part, rec.Offset, err)
	t.abort(abortRefused, fmt.Errorf("partition %d, offset %d: a result of the record can't be written: %w",
		rec.Partition, rec.Offset, err))
}

// cutOff takes result j of a record with several results that can't be written. If
// its partition was given up, the results before j must not be committed.
func (t *transactions) cutOff(c *chunk, i, j int, err error) {
	rec := &c.Records[i]
	switch {
	case !errors.Is(err, context.Canceled):
		t.condemn(c, i, err)
	case j > 0:
		t.abort(abortLost, fmt.Errorf("partition %d, offset %d: the partition was given up between two results of the record",
			rec.Partition, rec.Offset))
	}
}
