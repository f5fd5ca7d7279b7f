package engine

import (
	"context"
	"errors"
	"sync"
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

	mu sync.Mutex // held from a checkpoint to its acknowledgement
	// metadataLimit is the highest length of a commit's metadata, as far as this
	// process has learnt; guarded by mu.
	metadataLimit int
	// bareLogged is set once the log says that the limit leaves no room for maps;
	// guarded by mu.
	bareLogged bool
}

func newCommitter(proc *process, log logr.Logger, group *group.Member, feeder *mailbox, roster *roster) *committer {
	return &committer{
		proc: proc, log: log, group: group, feeder: feeder, roster: roster,
		hurried: signal.New(), metadataLimit: offsets.MaxMetadata,
	}
}

// run commits regularly until ctx ends.
func (c *committer) run(ctx context.Context) {
	ticker := time.NewTicker(commitInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-c.hurried:
		}
		attempt, cancel := context.WithTimeout(ctx, 10*time.Second)
		_ = c.commit(attempt, c.committable()...) // commit reports its errors itself
		cancel()
	}
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

// commit commits the partitions whose state has changed. It holds the lock from the
// checkpoint to its acknowledgement, so that an older checkpoint never follows a newer
// one. The error names the partitions that could not be committed; all others are
// committed.
func (c *committer) commit(ctx context.Context, parts ...*partition) error {
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

// checkpoints returns the states of partitions that are not committed yet. It needs mu.
func (c *committer) checkpoints(parts []*partition) (due []checkpoint) {
	for _, p := range parts {
		if p.inState(released) || p.foreign.Load() {
			continue // released after parts was chosen, or its log is gone
		}
		p.tracker.LimitMetadata(c.metadataLimit)
		p.reach.extend(p.tracker, &p.commit.pace, time.Now())
		offset, state := p.tracker.Checkpoint()
		metadata := state.EncodeWithin(offset, c.metadataLimit)
		if offset != p.commit.offset || metadata != p.commit.metadata {
			due = append(due, checkpoint{p, offset, state, metadata})
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
		commits := make([]group.CommitOffset, 0, len(due))
		for _, d := range due {
			commits = append(commits, group.CommitOffset{
				Assignment: d.p.assignment, Offset: d.offset, Metadata: d.metadata, LeaderEpoch: d.p.epochs.before(d.offset),
			})
		}
		var refused []failedCommit
		due, refused = c.handleResult(due, c.group.Commit(ctx, commits))
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

// handleResult notes the result of a commit for each checkpoint. It returns the
// checkpoints to send again with less metadata, and those that failed.
func (c *committer) handleResult(sent []checkpoint, result error) (again []checkpoint, failed []failedCommit) {
	for _, d := range sent {
		err := refusalOf(d.p, result)
		switch {
		case err == nil:
			c.acknowledged(d)
		case errors.Is(err, group.ErrMetadataTooLarge) && d.metadata != "":
			c.metadataLimit = min(c.metadataLimit, len(d.metadata)*3/4)
			d.metadata = d.state.EncodeWithin(d.offset, c.metadataLimit)
			again = append(again, d)
		default:
			failed = append(failed, failedCommit{d.p, err})
		}
	}
	return again, failed
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
