package engine

import (
	"context"
	"time"

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
		err := m.commit(attempt, m.committable()...)
		cancel()
		if err != nil && ctx.Err() == nil {
			m.log.Info("could not commit offsets; trying again", "error", err.Error())
		}
	}
}

// commitSoon makes the committer not wait for its next turn; it never blocks.
func (m *member) commitSoon() {
	select {
	case m.commitNow <- struct{}{}:
	default:
	}
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

// commit commits what has changed. The lock is held from the checkpoint to its
// acknowledgement, so that an older checkpoint never follows a newer one.
func (m *member) commit(ctx context.Context, parts ...*partition) error {
	m.commitMu.Lock()
	defer m.commitMu.Unlock()
	var changed []*partition
	var commits []kafka.CommitOffset
	for _, p := range parts {
		if p.is(released) || p.foreign.Load() {
			continue // since the choice of partitions, or its offsets mean nothing any more
		}
		offset, state := p.tracker.Checkpoint()
		metadata := state.Encode(offset)
		if offset == p.commit.offset && metadata == p.commit.metadata {
			continue
		}
		changed = append(changed, p)
		commits = append(commits, kafka.CommitOffset{Assignment: p.assignment, Offset: offset, Metadata: metadata})
	}
	if len(commits) == 0 {
		return nil
	}
	start := time.Now()
	if err := m.group.Commit(ctx, commits); err != nil {
		m.e.metrics.CommitsFailed.Add(1)
		return err
	}
	m.e.metrics.ObserveCommit(time.Since(start))
	for i, p := range changed {
		p.commit.offset, p.commit.metadata = commits[i].Offset, commits[i].Metadata
		p.commit.committed.Store(commits[i].Offset)
	}
	m.wakeFeeder() // a partition may have waited for its commit
	return nil
}
