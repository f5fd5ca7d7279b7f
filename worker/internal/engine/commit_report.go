package engine

import (
	"errors"
	"fmt"

	"github.com/millrace-dev/millrace/worker/internal/offsets"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// failedCommit is a partition that could not be committed, and why.
type failedCommit struct {
	p   *partition
	err error
}

// commitError joins what has failed.
func commitError(failed []failedCommit) error {
	errs := make([]error, 0, len(failed))
	for _, f := range failed {
		errs = append(errs, fmt.Errorf("commit partition %d: %w", f.p.id, f.err))
	}
	return errors.Join(errs...)
}

// reportFailed shows in /status which partitions can't be committed. It logs a
// partition when its error is new, and partitions with the same error in one line.
func (m *member) reportFailed(failed []failedCommit) {
	news := make(map[string][]int32)
	for _, f := range failed {
		if errors.Is(f.err, kafka.ErrNotOwned) {
			continue // the group says why
		}
		text := f.err.Error()
		if last := f.p.commit.failure.Swap(&text); last == nil || *last != text {
			news[text] = append(news[text], f.p.id)
		}
	}
	for text, partitions := range news {
		m.log.Info("could not commit", "topic", m.e.cfg.Input.Topic, "group", m.e.cfg.Input.GroupID,
			"partitions", partitions, "error", text)
	}
}

// reportMetadataLimit logs that the brokers keep less metadata than by default, and
// what follows from that, if the last commit has shown it. It needs commitMu.
func (m *member) reportMetadataLimit(before int) {
	limit := m.metadataLimit
	if limit == before {
		return
	}
	m.commitSoon() // which lets every partition's tracker know
	if offsets.HoldsMap(limit) {
		m.log.Info("the brokers' offset.metadata.max.bytes is small: fewer records are read ahead of one that is stuck; "+
			"raise it to 4096", "limit", limit)
		return
	}
	if m.metadataBare {
		return
	}
	m.metadataBare = true
	m.log.Info("the brokers' offset.metadata.max.bytes is too small to note what is settled above a committed offset: "+
		"after a crash those records are written twice; raise it to 4096", "limit", limit)
}
