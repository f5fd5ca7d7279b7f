package check

import (
	"fmt"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/workload"
	"github.com/millrace-dev/millrace/worker/config"
)

// History is what the driver did and saw.
type History struct {
	Events []Event
	Lives  []Life
	Bounds []Bound
	// Starved are the times in which other programs kept the machine busy.
	Starved []Span
}

// Verdict is the result of a run.
type Verdict struct {
	Figures    Figures    `json:"figures"`
	Causes     []Cause    `json:"duplicatesByCause"`
	Stalls     []Stall    `json:"stalls"`
	Violations Violations `json:"violations"`
}

// Finish judges all that was read. Every partition has been read to its end by then.
func (c *Checker) Finish(h History) Verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	for n, p := range c.partitions {
		for seq := range p.slots {
			s := p.slots[seq]
			if s.written == 0 {
				c.violations.add(Harness, time.Time{}, fmt.Sprintf("record %d of partition %d was read, but the generator has no acknowledgement of it", seq, n))
				continue
			}
			id := workload.ID{Partition: int32(n), Seq: int64(seq), Kind: s.kind}
			if !c.overtaken(id) {
				c.checkComplete(id, &s)
			}
			c.checkCommitted(id, &s)
		}
	}
	c.sumTransactions()
	j := newJudge(c, h)
	j.checkBacks()
	causes := j.explain()
	stalls := j.stalls()
	return Verdict{Figures: c.figures, Causes: causes, Stalls: stalls, Violations: c.violations.clone()}
}

// overtaken reports whether retention took a record before a worker read it: nothing came
// of it.
func (c *Checker) overtaken(id workload.ID) bool {
	if id.Seq >= c.partitions[id.Partition].deleted || c.has(id, letterIndex) {
		return false
	}
	for index := range id.Kind.Outputs() {
		if c.has(id, index) {
			return false
		}
	}
	return true
}

// Overtaken returns how many records of each partition retention took before a worker read
// them. The input may have no kinds of records without an output then.
func (c *Checker) Overtaken() map[int32]int64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	counts := map[int32]int64{}
	for n, p := range c.partitions {
		for seq := range p.slots[:p.deleted] {
			if c.overtaken(workload.ID{Partition: int32(n), Seq: int64(seq), Kind: p.slots[seq].kind}) {
				counts[int32(n)]++
			}
		}
	}
	return counts
}

// checkComplete checks that the outputs and the dead letter of a record are there. At least
// once, a large record can be both: it is a dead letter while the topic refuses it, its
// process dies, and the next one's output is taken.
func (c *Checker) checkComplete(id workload.ID, s *slot) {
	lettered := c.has(id, letterIndex)
	if id.Kind == workload.Large && lettered {
		if c.has(id, 0) && c.settings.Delivery == config.ExactlyOnce {
			c.violations.add(Unexpected, milli(s.written), fmt.Sprintf("%s has both an output and a dead letter", short(id)))
		}
		return
	}
	for index := range id.Kind.Outputs() {
		if !c.has(id, index) {
			c.violations.add(Lost, milli(s.written), fmt.Sprintf("%s, written at %s: output %d is missing; %s", short(id), stamp(milli(s.written)), index, c.committedText(id, s)))
		}
	}
	if id.Kind.Letter() && !lettered {
		c.violations.add(Lost, milli(s.written), fmt.Sprintf("%s, written at %s: its dead letter is missing; %s", short(id), stamp(milli(s.written)), c.committedText(id, s)))
	}
}

// short names a record of which only the place and the kind are known.
func short(id workload.ID) string {
	return fmt.Sprintf("record %d of partition %d (%s)", id.Seq, id.Partition, id.Kind)
}

func (c *Checker) committedText(id workload.ID, s *slot) string {
	if s.committed == 0 {
		return "no sample shows it as committed"
	}
	how := "by the metadata"
	if at, ok := c.committedBy(id); ok && !at.After(c.samples[s.committed-1].at) {
		how = "by the offset"
	}
	return fmt.Sprintf("the sample of %s shows it as committed %s", stamp(c.samples[s.committed-1].at), how)
}

// Ended reports whether all outputs of a record, or its dead letter, were seen.
func (c *Checker) Ended(id workload.ID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.has(id, letterIndex) {
		return true
	}
	for index := range id.Kind.Outputs() {
		if !c.has(id, index) {
			return false
		}
	}
	return !id.Kind.Letter()
}

// has reports whether a copy of an output or a dead letter was seen.
func (c *Checker) has(id workload.ID, index int) bool {
	if index == 0 {
		return c.slot(id).first.at != 0
	}
	return c.further[place{id.Partition, id.Seq, index}] != nil
}
