package engine

import (
	"context"
	"errors"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/offsets"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// commitInterval is how often what is settled is committed.
const commitInterval = time.Second

func (m *member) commitRegularly(ctx context.Context) {
	ticker := time.NewTicker(commitInterval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-m.commitNow:
		}
		attempt, cancel := context.WithTimeout(ctx, 10*time.Second)
		_ = m.commit(attempt, m.committable()...) // it reports what fails
		cancel()
	}
}

// commitSoon makes the committer not wait for its next turn; it never blocks.
func (m *member) commitSoon() {
	m.commitNow.Notify()
}

func (m *member) committable() []*partition {
	m.mu.Lock()
	defer m.mu.Unlock()
	var parts []*partition
	for _, p := range m.parts {
		if p.is(active, careful, halted, draining) {
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

// commit commits what has changed of partitions. The lock is held from the
// checkpoint to its acknowledgement, so that an older checkpoint never follows a
// newer one. Each partition is settled by itself: an error says which could not
// be committed, the others are.
func (m *member) commit(ctx context.Context, parts ...*partition) error {
	m.commitMu.Lock()
	defer m.commitMu.Unlock()
	defer m.wakeFeeder() // a partition may have waited for its commit, or for another limit
	due := m.checkpoints(parts)
	if len(due) == 0 {
		return nil
	}
	start := time.Now()
	err := m.send(ctx, due)
	if err != nil {
		m.e.metrics.CommitsFailed.Add(1)
	} else {
		m.e.metrics.ObserveCommit(time.Since(start))
	}
	return err
}

// checkpoints returns the partitions' states that are not committed yet. It needs
// commitMu.
func (m *member) checkpoints(parts []*partition) (due []checkpoint) {
	for _, p := range parts {
		if p.is(released) || p.foreign.Load() {
			continue // released after parts was chosen, or its log is gone
		}
		p.tracker.LimitMetadata(m.metadataLimit)
		p.reach.extend(p.tracker, time.Now())
		offset, state := p.tracker.Checkpoint()
		metadata := state.EncodeWithin(offset, m.metadataLimit)
		if offset != p.commit.offset || metadata != p.commit.metadata {
			due = append(due, checkpoint{p, offset, state, metadata})
		} else {
			p.reach.acknowledged(&state.Marks) // they may have no room in the metadata
		}
	}
	return due
}

// send commits checkpoints. Those whose metadata the brokers refuse as too large
// are sent again with less. It needs commitMu.
func (m *member) send(ctx context.Context, due []checkpoint) error {
	limit := m.metadataLimit
	var failed []failedCommit
	for len(due) > 0 {
		commits := make([]kafka.CommitOffset, 0, len(due))
		for _, c := range due {
			commits = append(commits, kafka.CommitOffset{Assignment: c.p.assignment, Offset: c.offset, Metadata: c.metadata, LeaderEpoch: c.p.epochs.before(c.offset)})
		}
		var refused []failedCommit
		due, refused = m.settleCommits(due, m.group.Commit(ctx, commits))
		failed = append(failed, refused...)
	}
	m.reportMetadataLimit(limit)
	if len(failed) == 0 {
		return nil
	}
	if !errors.Is(ctx.Err(), context.Canceled) {
		m.reportFailed(failed)
	}
	return commitError(failed)
}

// settleCommits handles the result of a commit. It returns the checkpoints to send
// again with less metadata, and those that have failed.
func (m *member) settleCommits(due []checkpoint, result error) (again []checkpoint, failed []failedCommit) {
	for _, c := range due {
		err := refusalOf(c.p, result)
		switch {
		case err == nil:
			m.acknowledged(c)
		case errors.Is(err, kafka.ErrMetadataTooLarge) && c.metadata != "":
			m.metadataLimit = min(m.metadataLimit, len(c.metadata)*3/4)
			c.metadata = c.state.EncodeWithin(c.offset, m.metadataLimit)
			again = append(again, c)
		default:
			failed = append(failed, failedCommit{c.p, err})
		}
	}
	return again, failed
}

// refusalOf returns why a partition could not be committed, nil if it was.
func refusalOf(p *partition, result error) error {
	refused, ok := errors.AsType[*kafka.CommitError](result)
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

func (m *member) acknowledged(c checkpoint) {
	c.p.commit.offset, c.p.commit.metadata = c.offset, c.metadata
	c.p.commit.committed.Store(c.offset)
	c.p.reach.acknowledged(&c.state.Marks)
	if c.p.commit.failure.Swap(nil) != nil {
		m.log.Info("a partition can be committed again", "partition", c.p.id, "offset", c.offset)
	}
}
