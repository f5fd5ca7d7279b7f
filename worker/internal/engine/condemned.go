package engine

import (
	"sync"

	"github.com/millrace-dev/millrace/worker/internal/kafka/group"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// condemnations remember, across the member's starts over, the records that must not be
// tried again, because results of them were refused. Other results of the same record may be
// written; they are aborted with their transaction, so that the policy decides about the
// record without any results. And results of later records may be committed already: a
// second attempt that succeeds would come behind them.
type condemnations struct {
	mu    sync.Mutex
	byLog map[ownedLog]map[int64]error // errors by offset; guarded by mu
}

// ownedLog is the log of a partition while the member owns it. In the log of another topic
// of the same name other records have the offsets, and another owner may have dealt with
// them in between.
type ownedLog struct {
	assignment *group.Assignment
	topic      kafka.TopicID
}

func logOf(p *partition) ownedLog { return ownedLog{p.assignment, p.origin.TopicID} }

// add condemns a record.
func (c *condemnations) add(p *partition, offset int64, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.byLog == nil {
		c.byLog = make(map[ownedLog]map[int64]error)
	}
	log := logOf(p)
	if c.byLog[log] == nil {
		c.byLog[log] = make(map[int64]error)
	}
	c.byLog[log][offset] = err
}

// forget forgets the records of a partition below a committed offset.
func (c *condemnations) forget(p *partition, committed int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	errs := c.byLog[logOf(p)]
	for offset := range errs {
		if offset < committed {
			delete(errs, offset)
		}
	}
}

// apply condemns the records of a partition that is read from position on. It forgets those
// below, and those of the partition's earlier assignments and topics.
func (c *condemnations) apply(p *partition, position int64) {
	c.forget(p, position)
	c.mu.Lock()
	defer c.mu.Unlock()
	present := logOf(p)
	for log := range c.byLog {
		if log.assignment.Partition == p.id && log != present {
			delete(c.byLog, log)
		}
	}
	for offset, err := range c.byLog[present] {
		p.failures.condemnAt(offset, err)
	}
}
