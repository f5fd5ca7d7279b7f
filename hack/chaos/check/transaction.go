package check

import (
	"encoding/binary"
	"fmt"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker/config"
)

// writer is a producer in a partition of the output topic. A producer has one transaction
// at a time there.
type writer struct {
	partition int32
	producer  int64
}

// transaction holds what a writer has written since its last marker.
type transaction struct {
	begun   time.Time
	outputs []output
}

// output is an output whose transaction has not ended.
type output struct {
	partition int32 // of the input, like seq
	seq       int64
	process   int16
}

// moment is when an output of an input partition became visible to readers.
type moment struct {
	at      int64 // in milliseconds since 1970
	seq     int64
	process int16
}

// observe notes when a record's output becomes visible: at once, or at the end of its
// transaction.
func (c *Checker) observe(r *kgo.Record, s source) {
	o := output{s.id.Partition, s.id.Seq, c.number(s.process)}
	if c.settings.Delivery != config.ExactlyOnce {
		c.visible(o, r.Timestamp)
		return
	}
	w := writer{r.Partition, r.ProducerID}
	t := c.open[w]
	if t == nil {
		t = &transaction{begun: r.Timestamp}
		c.open[w] = t
	}
	t.outputs = append(t.outputs, o)
}

func (c *Checker) visible(o output, at time.Time) {
	p := c.partitions[o.partition]
	p.timeline = append(p.timeline, moment{at.UnixMilli(), o.seq, o.process})
}

// marker ends a transaction in one partition.
func (c *Checker) marker(r *kgo.Record) {
	const commit = 1
	w := writer{r.Partition, r.ProducerID}
	t := c.open[w]
	delete(c.open, w)
	switch {
	case len(r.Key) < 4 || binary.BigEndian.Uint16(r.Key[2:]) != commit:
		c.figures.Aborted++
	case t != nil:
		c.figures.Transactions++
		c.lasted = append(c.lasted, r.Timestamp.Sub(t.begun))
		for _, o := range t.outputs {
			c.visible(o, r.Timestamp)
		}
	}
}

// openBound is how old an open transaction may get: coordinators abort it after its
// timeout, once they are there.
const openBound = time.Minute

// OpenTransaction notes an open transaction that a coordinator shows.
func (c *Checker) OpenTransaction(id string, since, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	age := now.Sub(since)
	if age > openBound && c.figures.OldestOpen <= openBound {
		c.violations.add(Stuck, now, fmt.Sprintf("the transaction of %s is open since %s", id, stamp(since)))
	}
	c.figures.OldestOpen = max(c.figures.OldestOpen, age)
}

// sumTransactions fills in the figures about the transactions' times.
func (c *Checker) sumTransactions() {
	if len(c.lasted) == 0 {
		return
	}
	slices.Sort(c.lasted)
	c.figures.MostTransactions = c.lasted[len(c.lasted)*99/100]
	c.figures.LongestTransaction = c.lasted[len(c.lasted)-1]
}
