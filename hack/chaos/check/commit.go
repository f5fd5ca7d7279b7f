package check

import (
	"fmt"
	"sort"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/workload"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest/committed"
)

// Commit is a committed offset and what its metadata says to be settled above it.
type Commit struct {
	Offset  int64
	Settled []committed.Range
}

// Sample is what the group had committed at a time. The ends are those of the partitions
// of the output and of the dead letters, asked for after the commits, so that they
// contain all that was written before.
type Sample struct {
	At                      time.Time
	Commits                 map[int32]Commit
	OutputEnds, LettersEnds map[int32]int64
}

type sample struct {
	at                      time.Time
	outputEnds, lettersEnds map[int32]int64
}

// watermark is the committed offset from a sample on.
type watermark struct {
	sample int32
	offset int64
}

// Sample takes a sample of the group's commits. Each is later than the one before: of two that
// cross, the second would show commits that moved back.
func (c *Checker) Sample(s Sample) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if n := len(c.samples); n > 0 && s.At.Before(c.samples[n-1].at) {
		c.violations.add(Harness, s.At, fmt.Sprintf("a sample of %s came after that of %s", stamp(s.At), stamp(c.samples[n-1].at)))
		return
	}
	c.samples = append(c.samples, sample{s.At, s.OutputEnds, s.LettersEnds})
	for n, commit := range s.Commits {
		c.figures.Commits++
		c.take(n, commit)
	}
}

// take notes which records a commit covers for the first time.
func (c *Checker) take(n int32, commit Commit) {
	index := int32(len(c.samples))
	p := c.partition(n)
	if commit.Offset < p.watermark {
		c.movesBack(n, p, commit.Offset)
	}
	cover := func(first, next int64) {
		if first < next {
			c.slot(workload.ID{Partition: n, Seq: next - 1})
		}
		for seq := first; seq < next; seq++ {
			if s := &p.slots[seq]; s.committed == 0 {
				s.committed = index
			}
		}
	}
	cover(p.watermark, commit.Offset)
	for _, r := range commit.Settled {
		cover(r.First, r.Next)
	}
	if commit.Offset > p.watermark {
		p.watermark = commit.Offset
		p.past = append(p.past, watermark{index, commit.Offset})
	}
}

// back is a committed offset that became lower.
type back struct {
	at       time.Time
	n        int32
	from, to int64
}

// movesBack notes a committed offset that became lower. Finish decides whether a fault
// explains it.
func (c *Checker) movesBack(n int32, p *partition, to int64) {
	c.backs = append(c.backs, back{c.samples[len(c.samples)-1].at, n, p.watermark, to})
	p.watermark = to
	for len(p.past) > 0 && p.past[len(p.past)-1].offset > to {
		p.past = p.past[:len(p.past)-1]
	}
}

// checkBacks judges the committed offsets that became lower. A commit that gets no answer
// may arrive after the next one of its member; Kafka has no order between them. And a
// broker that was away may still answer as the coordinator that it was. Both take a fault
// of Kafka.
func (j *judge) checkBacks() {
	for _, b := range j.c.backs {
		if j.disturbed(b.at) {
			j.c.figures.CommitsBack++
			continue
		}
		j.c.violations.add(CommitBack, b.at, fmt.Sprintf("partition %d: offset %d is committed after %d", b.n, b.to, b.from))
	}
}

// disturbed reports whether a fault of Kafka was in force shortly before a time.
func (j *judge) disturbed(at time.Time) bool {
	for i := range j.history.Events {
		if e := &j.history.Events[i]; e.Kafka && !e.Begin.After(at) && e.End.Add(aftermath).After(at) {
			return true
		}
	}
	return false
}

// committedBy returns when a sample first had a committed offset above a record; ok is
// false if none had. Offsets in the metadata do not count, since a later commit may have
// no room for them.
func (c *Checker) committedBy(id workload.ID) (at time.Time, ok bool) {
	past := c.partitions[id.Partition].past
	i := sort.Search(len(past), func(i int) bool { return past[i].offset > id.Seq })
	if i == len(past) {
		return time.Time{}, false
	}
	return c.samples[past[i].sample-1].at, true
}

// checkCommitted checks that what a record's commit stands for was in Kafka before it.
func (c *Checker) checkCommitted(id workload.ID, s *slot) {
	if s.committed == 0 {
		return
	}
	at := c.samples[s.committed-1]
	behind := func(what string, written *copyOf, ends map[int32]int64) {
		if end := ends[int32(written.partition)]; written.at != 0 && written.offset >= end {
			c.violations.add(CommitAhead, at.at, fmt.Sprintf("%s: committed when its %s, which is at %d@%d, was beyond the end %d",
				short(id), what, written.partition, written.offset, end))
		}
	}
	for index := range id.Kind.Outputs() {
		behind(fmt.Sprintf("output %d", index), c.first(id, index), at.outputEnds)
	}
	if id.Kind.Letter() {
		behind("dead letter", c.first(id, letterIndex), at.lettersEnds)
	}
}
