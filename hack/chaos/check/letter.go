package check

import (
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/hack/chaos/workload"
	"github.com/millrace-dev/millrace/worker"
)

// window is a time from begin to end; end is zero while it lasts.
type window struct{ begin, end time.Time }

// refusalLag is how long after a limit is lifted records may still be refused because of
// it: brokers learn of it late, and attempts take their time.
const refusalLag = 30 * time.Second

// LargeAreRefused notes that the output topic takes only small records from now on, until
// the caller calls end. A large record becomes either an output or a dead letter then.
func (c *Checker) LargeAreRefused() (end func()) {
	c.mu.Lock()
	defer c.mu.Unlock()
	w := &window{begin: time.Now()}
	c.refusals = append(c.refusals, w)
	return func() {
		c.mu.Lock()
		defer c.mu.Unlock()
		w.end = time.Now()
	}
}

// Letter takes the next record of a partition of the dead-letter topic.
func (c *Checker) Letter(r *kgo.Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Attrs.IsControl() {
		return
	}
	c.figures.DeadLetters++
	text, _ := header(r, workload.HeaderID)
	id, err := workload.Parse(text)
	if err != nil {
		c.violations.add(WrongBytes, r.Timestamp, fmt.Sprintf("%s: %v", where(r), err))
		return
	}
	reason, _ := header(r, worker.HeaderError)
	if !id.Kind.Letter() && (id.Kind != workload.Large || !c.refusing(r.Timestamp)) {
		c.violations.add(Unexpected, r.Timestamp, fmt.Sprintf("%s: dead letter of record %q: %s", where(r), id, reason))
	}
	c.checkOrigin(r, id)
	if !same(r.Key, id.KeyBytes()) || !same(r.Value, id.Value()) {
		c.violations.add(WrongBytes, r.Timestamp, fmt.Sprintf("%s: the dead letter of record %q has key %q and a value of %d bytes, want %q and %d",
			where(r), id, r.Key, len(r.Value), id.KeyBytes(), len(id.Value())))
	}
	c.note(r, id, letterIndex, "")
}

// refusing reports whether large records may be refused at a time.
func (c *Checker) refusing(at time.Time) bool {
	for _, w := range c.refusals {
		if at.After(w.begin) && (w.end.IsZero() || at.Before(w.end.Add(refusalLag))) {
			return true
		}
	}
	return false
}

func (c *Checker) checkOrigin(r *kgo.Record, id workload.ID) {
	topic, _ := header(r, worker.HeaderTopic)
	partition, _ := header(r, worker.HeaderPartition)
	offset, _ := header(r, worker.HeaderOffset)
	if topic != c.settings.Input || partition != strconv.Itoa(int(id.Partition)) || offset != strconv.FormatInt(id.Seq, 10) {
		c.violations.add(WrongBytes, r.Timestamp, fmt.Sprintf("%s: the dead letter of record %q says that it was %s/%s@%s", where(r), id, topic, partition, offset))
	}
}
