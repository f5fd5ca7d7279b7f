package kafka

import (
	"errors"
	"maps"
	"slices"
	"time"

	kafkago "github.com/segmentio/kafka-go"
)

// troubles gathers the partitions of one answer that can't be fetched. They are
// retried together, and what happened is logged once for as long as it stays the
// same, in one line for all that share it.
type troubles struct {
	failed []*cursor
	wait   time.Duration      // until the retry
	news   map[string][]int32 // partitions by what happened to them
	over   []int32            // partitions that are fetched again
}

// add notes a failure. Needs Fetcher.mu.
func (t *troubles) add(c *cursor, err error) {
	// The shortest wait counts: a partition that has failed for long does not
	// hold up one whose leader has just moved.
	if wait := c.backoff.Next(); len(t.failed) == 0 || wait < t.wait {
		t.wait = wait
	}
	t.failed = append(t.failed, c)
	text := err.Error()
	if code, ok := errors.AsType[kafkago.Error](err); ok {
		text = code.Error() // without the partition, which all have in common
	}
	if c.trouble == text {
		return
	}
	c.trouble = text
	if t.news == nil {
		t.news = make(map[string][]int32)
	}
	t.news[text] = append(t.news[text], c.partition)
}

// end notes that a partition is fetched. Needs Fetcher.mu.
func (t *troubles) end(c *cursor) {
	c.backoff.Reset()
	if c.trouble != "" {
		c.trouble = ""
		t.over = append(t.over, c.partition)
	}
}

// settle has the failed partitions retried, and logs. Needs Fetcher.mu.
func (t *troubles) settle(f *Fetcher, values ...any) {
	for _, c := range t.failed {
		f.park(c, t.wait)
	}
	log := f.log.WithValues(values...)
	for _, text := range slices.Sorted(maps.Keys(t.news)) {
		slices.Sort(t.news[text])
		log.Info("partitions can't be fetched, will be retried", "partitions", t.news[text], "error", text)
	}
	if len(t.over) > 0 {
		slices.Sort(t.over)
		log.Info("partitions are fetched again", "partitions", t.over)
	}
}
