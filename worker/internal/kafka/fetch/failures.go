package fetch

import (
	"errors"
	"time"

	"github.com/go-logr/logr"
	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/internal/kafka/trouble"
)

// failures gathers the partitions of one response that can't be fetched. They are
// retried together, and one log line names all that share an error.
type failures struct {
	topic      string
	partitions []*cursor
	wait       time.Duration // until the retry
	report     trouble.Report
}

// add adds a failure of a partition. Needs cursorTable.mu.
func (f *failures) add(c *cursor, err error) {
	// The shortest wait counts: a partition that has failed for long does not delay
	// one whose leader has just moved.
	if wait := c.backoff.Next(); len(f.partitions) == 0 || wait < f.wait {
		f.wait = wait
	}
	f.partitions = append(f.partitions, c)
	text := err.Error()
	if code, ok := errors.AsType[kafkago.Error](err); ok {
		text = code.Error() // without the partition, so that several share it
	}
	if c.failing.Failed(text, 0) {
		f.report.Failed(f.topic, c.partition, text, 0)
	}
}

// end ends the failures of a partition. Needs cursorTable.mu.
func (f *failures) end(c *cursor) {
	c.backoff.Reset()
	if c.failing.Ended() {
		f.report.Ended(f.topic, c.partition)
	}
}

// finish reroutes the failed partitions, and logs. Needs cursorTable.mu.
func (f *failures) finish(table *cursorTable, log logr.Logger, values ...any) {
	for _, c := range f.partitions {
		table.reroute(c, f.wait)
	}
	f.report.Log(log, "partitions can't be fetched, will be retried", "partitions are fetched again", values...)
}
