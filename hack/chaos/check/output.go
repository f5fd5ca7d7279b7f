package check

import (
	"bytes"
	"fmt"
	"strconv"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/hack/chaos/workload"
	"github.com/millrace-dev/millrace/worker/config"
)

// source is what a record of the output topic says of its origin.
type source struct {
	id      workload.ID
	index   int
	process string
}

func sourceOf(r *kgo.Record) (s source, err error) {
	text, _ := header(r, workload.HeaderID)
	if s.id, err = workload.Parse(text); err != nil {
		return s, err
	}
	index, _ := header(r, workload.HeaderIndex)
	if s.index, err = strconv.Atoi(index); err != nil {
		return s, fmt.Errorf("%s: %w", workload.HeaderIndex, err)
	}
	s.process, _ = header(r, workload.HeaderProcess)
	return s, nil
}

func header(r *kgo.Record, key string) (value string, ok bool) {
	for _, h := range r.Headers {
		if h.Key == key {
			value, ok = string(h.Value), true
		}
	}
	return value, ok
}

func where(r *kgo.Record) string {
	return fmt.Sprintf("%s/%d@%d", r.Topic, r.Partition, r.Offset)
}

// Output takes the next record of a partition of the output topic.
func (c *Checker) Output(r *kgo.Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if r.Attrs.IsControl() {
		c.marker(r)
		return
	}
	c.figures.Outputs++
	s, err := sourceOf(r)
	switch {
	case err != nil:
		c.violations.add(WrongBytes, r.Timestamp, fmt.Sprintf("%s: %v", where(r), err))
		return
	case s.index < 0 || s.index >= s.id.Kind.Outputs():
		c.violations.add(Unexpected, r.Timestamp, fmt.Sprintf("%s: output %d of record %q by %s", where(r), s.index, s.id, s.process))
		return
	}
	c.checkContent(r, s)
	c.checkPlace(r, s)
	isFirst := c.note(r, s.id, s.index, s.process)
	if isFirst || c.settings.Delivery == config.ExactlyOnce {
		c.checkOrder(r, s)
	}
	c.observe(r, s)
}

func (c *Checker) checkContent(r *kgo.Record, s source) {
	if key := s.id.OutputKey(s.index); !same(r.Key, key) {
		c.violations.add(WrongBytes, r.Timestamp, fmt.Sprintf("%s: record %q has key %q, want %q", where(r), s.id, r.Key, key))
	}
	if want := workload.OutputValue(s.id.Kind, s.id.Value(), s.index); !same(r.Value, want) {
		c.violations.add(WrongBytes, r.Timestamp, fmt.Sprintf("%s: record %q has another value of %d bytes, want %d", where(r), s.id, len(r.Value), len(want)))
	}
}

// same compares two byte slices, of which nil means null.
func same(a, b []byte) bool { return (a == nil) == (b == nil) && bytes.Equal(a, b) }

// note notes a copy of an output or a dead letter, and reports whether it is the first.
func (c *Checker) note(r *kgo.Record, id workload.ID, index int, process string) bool {
	now := copyOf{at: r.Timestamp.UnixMilli(), offset: r.Offset, partition: int16(r.Partition), process: c.number(process)}
	first := c.first(id, index)
	if first.at == 0 {
		*first = now
		return true
	}
	before, at := *first, place{id.Partition, id.Seq, index}
	if latest, ok := c.latest[at]; ok {
		before = latest
	}
	c.latest[at] = now
	c.figures.Duplicates++
	c.duplicates = append(c.duplicates, duplicate{id: id, index: index, first: before, second: now})
	return false
}

// checkPlace checks that a record with a key is in the partition of the key's hash.
func (c *Checker) checkPlace(r *kgo.Record, s source) {
	if r.Key != nil && !c.layouts.allow(r) {
		c.violations.add(WrongPlace, r.Timestamp, fmt.Sprintf("%s: record %q with key %q, %d partitions", where(r), s.id, r.Key, c.layouts.partitions()))
	}
}

// lane is a sequence of outputs that must be in the order of their records.
type lane struct {
	input, output int32
	key           int // wholePartition for all of the input partition
	index         int
}

// wholePartition is the key of lanes that hold a whole partition.
const wholePartition = -2

// last is the last first copy in a lane.
type last struct {
	seq     int64
	at      time.Time
	process int16
}

// checkOrder checks first copies: those that a process repeats after a fault come again
// behind later ones. It compares records within one output partition, since a reader
// sees no order between partitions.
//
// When the output topic grows, keys move to other partitions. A record that waits for its
// key's former partition when its process dies is written again by the next one, into the
// new partition and maybe behind later records: those of its key, and where whole partitions
// are kept in order, those of other keys that were always there. No producer of Kafka
// prevents this, so the checker counts such records only. The same holds for a large record
// that the topic refused for a while: the next process does not know that it was to become a
// dead letter.
func (c *Checker) checkOrder(r *kgo.Record, s source) {
	l := lane{input: s.id.Partition, output: r.Partition, key: s.id.Key, index: s.index}
	switch {
	case c.settings.Ordering == config.Partition:
		l.key = wholePartition
	case c.settings.Ordering == config.Unordered || s.id.Key < 0:
		return
	}
	before, ok := c.order[l]
	switch {
	case !ok || s.id.Seq >= before.seq:
		c.order[l] = last{s.id.Seq, r.Timestamp, c.number(s.process)}
	case c.crosses(r, s, before):
		c.figures.Crossed++
	default:
		c.violations.add(Reordered, r.Timestamp, fmt.Sprintf("%s: record %q by %s comes after record %d of the same %s, which came at %s by %s",
			where(r), s.id, s.process, before.seq, l.name(), stamp(before.at), c.processes[before.process]))
	}
}

// crosses reports whether a record may come behind a later one. Either it was written
// before the output topic has grown, and is in the partition into which its key has moved
// with that. Or the topic refused large records when the later one came, and another
// process wrote that.
func (c *Checker) crosses(r *kgo.Record, s source, before last) bool {
	if s.id.Kind == workload.Large && c.number(s.process) != before.process && c.refusing(before.at) {
		return true
	}
	grown, moved := c.layouts.moved(r, s.id.Partition, milli(c.slot(s.id).written))
	// The later record of a key is there only because the key has moved.
	return moved && (c.settings.Ordering == config.Partition || before.at.After(grown))
}

func (l lane) name() string {
	if l.key == wholePartition {
		return "partition"
	}
	return "key"
}
