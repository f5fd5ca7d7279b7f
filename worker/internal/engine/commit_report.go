package engine

import (
	"errors"
	"fmt"

	"github.com/millrace-dev/millrace/worker/internal/kafka/group"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
)

// failedCommit is a partition that could not be committed, and why.
type failedCommit struct {
	p   *partition
	err error
}

// commitError joins the errors of partitions.
func commitError(failed []failedCommit) error {
	errs := make([]error, 0, len(failed))
	for _, f := range failed {
		errs = append(errs, fmt.Errorf("commit partition %d: %w", f.p.id, f.err))
	}
	return errors.Join(errs...)
}

// reportFailed shows in /status which partitions can't be committed. It logs a
// partition when its error is new, and partitions with the same error in one line.
func (c *committer) reportFailed(failed []failedCommit) {
	news := make(map[string][]int32)
	for _, f := range failed {
		if errors.Is(f.err, group.ErrNotOwned) {
			continue // the group says why
		}
		text := f.err.Error()
		if last := f.p.commit.failure.Swap(&text); last == nil || *last != text {
			news[text] = append(news[text], f.p.id)
		}
	}
	for text, partitions := range news {
		c.log.Info("could not commit", "topic", c.proc.cfg.Input.Topic, "group", c.proc.cfg.Input.GroupID,
			"partitions", partitions, "error", text)
	}
}

// reportMetadataLimit logs that the brokers keep less metadata than by default, with
// the consequence, if the last commit has lowered the limit. It needs mu.
func (c *committer) reportMetadataLimit(before int) {
	limit := c.metadataLimit
	if limit == before {
		return
	}
	c.soon() // it tells every partition's tracker
	if offsets.HoldsMap(limit) {
		c.log.Info("the brokers' offset.metadata.max.bytes is small: fewer records are read ahead of one that is stuck; "+
			"raise it to 4096", "limit", limit)
		return
	}
	if c.bareLogged {
		return
	}
	c.bareLogged = true
	c.log.Info("the brokers' offset.metadata.max.bytes is too small to note the records that are settled above a committed offset: "+
		"after a crash those records are written twice; raise it to 4096", "limit", limit)
}
