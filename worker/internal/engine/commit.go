package engine

import (
	"context"
	"errors"
	"time"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/internal/kafka/group"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
	"github.com/millrace-dev/millrace/worker/internal/signal"
)

// commitInterval is the time between two regular commits.
const commitInterval = time.Second

// committer commits the offsets of settled records.
type committer struct {
	proc    *process
	log     logr.Logger
	group   *group.Member
	feeder  *mailbox
	roster  *roster
	hurried signal.Signal // commit now
	begun   signal.Signal // a partition has its first results, which readers wait for

	mu signal.Lock // held from a checkpoint to its acknowledgement
	// metadataLimit is the highest length of a commit's metadata, as far as this
	// process has learnt; guarded by mu.
	metadataLimit int
	// exact commits in transactions; nil if delivery is not ExactlyOnce.
	exact *transactions
	// bareLogged is set once the log says that the limit leaves no room for maps;
	// guarded by mu.
	bareLogged bool
}

func newCommitter(proc *process, log logr.Logger, group *group.Member, feeder *mailbox, roster *roster) *committer {
	return &committer{
		proc: proc, log: log, group: group, feeder: feeder, roster: roster,
		hurried: signal.New(), begun: signal.New(), mu: signal.NewLock(), metadataLimit: offsets.MaxMetadata,
	}
}

// run commits regularly until ctx ends.
func (c *committer) run(ctx context.Context) {
	timer := time.NewTimer(c.interval())
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
			if wait := c.early(); wait > 0 {
				timer.Reset(wait)
				continue
			}
		case <-c.begun:
			timer.Reset(c.early())
			continue
		case <-c.hurried:
		}
		began := time.Now()
		attempt, cancel := context.WithTimeout(ctx, 10*time.Second)
		_ = c.commit(attempt, c.committable()...) // commit reports its errors itself
		cancel()
		timer.Reset(max(c.interval()-time.Since(began), 0))
	}
}

// early returns how long a regular commit is to wait, 0 or less if it need not, because the
// transaction under way has just begun. Where ends take as long as the interval, transactions
// would follow one another without a gap otherwise. All their records would be sent at their
// end, and wait there until the brokers have added the partitions to the transaction.
func (c *committer) early() time.Duration {
	if c.exact == nil {
		return 0
	}
	return c.interval()/2 - c.exact.age(time.Now())
}

func (c *committer) interval() time.Duration {
	if c.exact != nil {
		return c.proc.cfg.Transaction.Interval.Duration
	}
	return commitInterval
}

// soon makes the committer commit now instead of at its next turn. It never blocks.
func (c *committer) soon() { c.hurried.Notify() }

// nudge has the committer hurry when a partition is read far ahead, up to next.
func (c *committer) nudge(p *partition, next int64) {
	if next-p.commit.committed.Load() >= maxUncommitted/2 {
		c.soon()
	}
}

// committable returns the partitions that regular commits are for.
func (c *committer) committable() []*partition {
	var parts []*partition
	for _, p := range c.roster.partitions() {
		if p.inState(active, careful, halted, draining) {
			parts = append(parts, p)
		}
	}
	return parts
}

// checkpoint is the next commit of a partition.
type checkpoint struct {
	p        *partition
	offset   int64
	state    offsets.State
	metadata string
}

// lacksMap reports whether the metadata had no room for the map.
func (d *checkpoint) lacksMap() bool {
	return len(d.state.Settled) > 0 && d.metadata != d.state.Encode(d.offset)
}

// commit commits the partitions whose state has changed. It holds the lock from the
// checkpoint to its acknowledgement, so that an older checkpoint never follows a newer
// one. The error names the partitions that could not be committed; all others are
// committed.
func (c *committer) commit(ctx context.Context, parts ...*partition) error {
	if c.exact != nil {
		return c.commitExactly(parts)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	defer c.feeder.wake.Notify() // a partition may have waited for its commit, or for another limit
	due := c.checkpoints(parts)
	if len(due) == 0 {
		return nil
	}
	start := time.Now()
	err := c.send(ctx, due)
	if err != nil {
		c.proc.metrics.CommitsFailed.Add(1)
	} else {
		c.proc.metrics.ObserveCommit(time.Since(start))
	}
	return err
}

// commitExactly is commit for delivery ExactlyOnce. The timeout of transactions bounds it.
func (c *committer) commitExactly(parts []*partition) error {
	c.mu.Lock()
	var err error
	if !c.closed(parts) {
		err = c.exact.commit(parts)
	}
	if err != nil {
		c.proc.metrics.CommitsFailed.Add(1)
	}
	c.mu.Unlock()
	c.feeder.wake.Notify()
	c.exact.observer.tell()
	return err
}

// closed reports whether partitions need no last commit any more: a transaction that ended
// since they were closed has all of theirs. Nothing shows that of a partition whose log is
// gone, since its offsets are not committed. It needs mu.
func (c *committer) closed(parts []*partition) bool {
	for _, p := range parts {
		if !p.inState(closing) || p.records.Load() > 0 || p.foreign.Load() {
			return false
		}
	}
	return len(parts) > 0 && len(c.checkpoints(parts)) == 0
}

// checkpoints returns the states of partitions that are not committed yet. A state whose map
// has no room in the metadata looks like the former one, so in a transaction it counts as
// not committed. It needs mu.
func (c *committer) checkpoints(parts []*partition) (due []checkpoint) {
	for _, p := range parts {
		if p.inState(released) || p.foreign.Load() {
			continue // released after parts was chosen, or its log is gone
		}
		p.tracker.LimitMetadata(c.metadataLimit)
		p.reach.extend(p.tracker, &p.commit.pace, time.Now())
		offset, state := p.tracker.Checkpoint()
		d := checkpoint{p, offset, state, state.EncodeWithin(offset, c.metadataLimit)}
		if offset != p.commit.offset || d.metadata != p.commit.metadata || c.exact != nil && d.lacksMap() {
			due = append(due, d)
		} else {
			p.reach.acknowledge(&state.Marks) // they may have no room in the metadata
		}
	}
	return due
}

// send commits checkpoints. When the brokers refuse metadata as too large, it
// sends those checkpoints again with less. It needs mu.
func (c *committer) send(ctx context.Context, due []checkpoint) error {
	limit := c.metadataLimit
	var failed []failedCommit
	for len(due) > 0 {
		var refused []failedCommit
		due, refused = c.handleResult(due, c.group.Commit(ctx, commitOffsets(due)))
		failed = append(failed, refused...)
	}
	c.reportMetadataLimit(limit)
	if len(failed) == 0 {
		return nil
	}
	if !errors.Is(ctx.Err(), context.Canceled) {
		c.reportFailed(failed)
	}
	return commitError(failed)
}

// commitOffsets returns the checkpoints as the group takes them.
func commitOffsets(due []checkpoint) []group.CommitOffset {
	commits := make([]group.CommitOffset, 0, len(due))
	for _, d := range due {
		commits = append(commits, group.CommitOffset{
			Assignment: d.p.assignment, Offset: d.offset, Metadata: d.metadata, LeaderEpoch: d.p.epochs.before(d.offset),
		})
	}
	return commits
}

// handleResult notes the result of a commit for each checkpoint. It returns the
// checkpoints to send again with less metadata, and those that failed.
func (c *committer) handleResult(sent []checkpoint, result error) (again []checkpoint, failed []failedCommit) {
	for _, d := range sent {
		err := refusalOf(d.p, result)
		switch {
		case err == nil:
			c.acknowledged(d)
		case c.shorten(&d, err):
			again = append(again, d)
		default:
			failed = append(failed, failedCommit{d.p, err})
		}
	}
	return again, failed
}

// shorten takes metadata away from a checkpoint that was refused because it has too much.
// It reports false if it was refused for another reason. It needs mu.
func (c *committer) shorten(d *checkpoint, err error) bool {
	if !errors.Is(err, group.ErrMetadataTooLarge) || d.metadata == "" {
		return false
	}
	c.metadataLimit = min(c.metadataLimit, len(d.metadata)*3/4)
	d.metadata = d.state.EncodeWithin(d.offset, c.metadataLimit)
	return true
}

// refusalOf returns why a partition could not be committed, nil if it was.
func refusalOf(p *partition, result error) error {
	refused, ok := errors.AsType[*group.CommitError](result)
	if !ok {
		return result
	}
	for _, f := range refused.Failed {
		if f.Assignment == p.assignment {
			return f.Err
		}
	}
	return nil
}

func (c *committer) acknowledged(d checkpoint) {
	d.p.commit.offset, d.p.commit.metadata = d.offset, d.metadata
	d.p.commit.committed.Store(d.offset)
	d.p.reach.acknowledge(&d.state.Marks)
	if d.p.commit.failure.Swap(nil) != nil {
		c.log.Info("a partition can be committed again", "partition", d.p.id, "offset", d.offset)
	}
}
