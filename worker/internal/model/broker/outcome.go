package broker

import (
	"iter"
	"slices"
)

// Outcome is what becomes of a data batch.
type Outcome uint8

// The outcomes.
const (
	Undecided Outcome = iota
	Kept              // or not part of a transaction
	Discarded
)

// Outcomes returns the data batches of a partition, the last one first. The outcome of a
// transaction that is prepared to end is certain, though readers don't see it yet.
func (c *Cluster) Outcomes(p Partition) iter.Seq2[*Batch, Outcome] {
	return func(yield func(*Batch, Outcome) bool) {
		var room [16]*Batch
		ends := room[:0] // the control batches behind a batch
		for i := len(c.Log(p).Batches) - 1; i >= 0; i-- {
			b := &c.Log(p).Batches[i]
			if b.Control {
				ends = append(ends, b)
			} else if !yield(b, c.outcome(p, b, ends)) {
				return
			}
		}
	}
}

func (c *Cluster) outcome(p Partition, b *Batch, ends []*Batch) Outcome {
	if !b.Transactional {
		return Kept
	}
	for i := len(ends) - 1; i >= 0; i-- {
		if ends[i].Producer == b.Producer {
			return outcomeOf(ends[i].Commit)
		}
	}
	if i := c.ownerAt(b.Producer); i >= 0 {
		if t := c.transactions[i].value; t.IsPrepared() && slices.Contains(t.partitions, p) {
			return outcomeOf(t.State == PrepareCommit)
		}
	}
	return Undecided
}

func outcomeOf(commit bool) Outcome {
	if commit {
		return Kept
	}
	return Discarded
}

// ownerAt returns the place of the transactional id that has a producer, -1 for none.
func (c *Cluster) ownerAt(producer int64) int {
	for i := range c.transactions {
		if c.transactions[i].value.Producer == producer {
			return i
		}
	}
	return -1
}

// Decided returns the offset that a group has in a partition once the transactions that
// are prepared to commit are committed; -1 is none.
func (c *Cluster) Decided(group string, p Partition) Offset {
	decided := noOffset
	for _, o := range c.Group(group).offsets {
		if o.Partition != p {
			continue
		}
		if o.producer != noProducer {
			t := c.transactions[c.ownerAt(o.producer)].value
			if t.State != PrepareCommit || !slices.Contains(t.partitions, offsetsLog) {
				continue
			}
		}
		decided = o.Offset
	}
	return decided
}
