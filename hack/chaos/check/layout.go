package check

import (
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// layout is a number of partitions that the output topic had from a time on.
type layout struct {
	partitions int32
	since      time.Time
}

// layoutLag is how long a producer may go on with a former number of partitions: it asks
// every five minutes.
const layoutLag = 5*time.Minute + 10*time.Second

// layouts are those of the output topic, in their order. They know where a worker puts an
// output.
type layouts struct {
	all    []layout
	hashed kgo.TopicPartitioner
}

func newLayouts(partitions int32) layouts {
	return layouts{all: []layout{{partitions: partitions}}, hashed: kgo.StickyKeyPartitioner(nil).ForTopic("")}
}

// OutputGrows notes that the output topic gets more partitions. It is called before they
// are there.
func (c *Checker) OutputGrows(at time.Time, partitions int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.layouts.all = append(c.layouts.all, layout{partitions, at})
}

// partitions returns how many there are now.
func (l *layouts) partitions() int32 { return l.all[len(l.all)-1].partitions }

// allow reports whether a record is in the partition of its key in any layout that its
// producer may have known.
func (l *layouts) allow(r *kgo.Record) bool {
	for i, one := range l.all {
		over := i+1 < len(l.all) && r.Timestamp.After(l.all[i+1].since.Add(layoutLag))
		if !over && r.Partition == l.home(r.Key, 0, one.partitions) {
			return true
		}
	}
	return false
}

// moved reports whether a record of an input partition, which was written before a growth of
// the output was known everywhere, is where that growth has moved its key, and when it was.
func (l *layouts) moved(r *kgo.Record, input int32, written time.Time) (since time.Time, moved bool) {
	for i, after := range l.all[1:] {
		home, former := l.home(r.Key, input, after.partitions), l.home(r.Key, input, l.all[i].partitions)
		if home == r.Partition && home != former && !r.Timestamp.Before(after.since) && written.Before(after.since.Add(layoutLag)) {
			return after.since, true
		}
	}
	return time.Time{}, false
}

// home returns the partition of an output with a key, nil for none, when the topic has a
// number of partitions. A worker that keeps whole partitions of the input in order puts all
// their outputs without a key into one partition.
func (l *layouts) home(key []byte, input, partitions int32) int32 {
	if key == nil {
		return input % partitions
	}
	return int32(l.hashed.Partition(&kgo.Record{Key: key}, int(partitions)))
}
