package protocol

import (
	"fmt"
	"math/bits"
	"strings"

	"github.com/millrace-dev/millrace/worker/internal/model/broker"
)

// view is what committed transactions have written, and what the group's offsets say is
// settled. A transaction counts as committed as soon as that is certain.
type view struct {
	written, settled [maxPartitions]set
	misplaced        bool // a record is written twice, or in the wrong place
	atEnd            bool // nothing goes on
}

// view returns the view of a state. An error names the misplaced record.
func (w *world) view() (v view, err error) {
	for p := range w.scope.partitions {
		v.settled[p] = w.settled(p)
	}
	for b, outcome := range w.cluster.Outcomes(output) { // the last one first
		if outcome != broker.Kept {
			continue
		}
		p, i := w.scope.place(b)
		if v.written[p].has(i) {
			return v, fmt.Errorf("record %d of partition %d is doubled", i, p)
		}
		if w.scope.ordered && v.written[p]&(1<<i-1) != 0 {
			return v, fmt.Errorf("an earlier record of partition %d is written behind record %d", p, i)
		}
		v.written[p] |= 1 << i
	}
	return v, nil
}

// check checks the invariants of every state: the settled records are exactly those that are
// written, each once, and in order.
func (w *world) check() error {
	if !w.decided {
		return nil // nothing has changed that is checked
	}
	w.decided = false
	v, err := w.view()
	if err != nil {
		return err
	}
	for p := range w.scope.partitions {
		different := (v.settled[p] ^ v.written[p]) & w.scope.withResults()
		if different == 0 {
			continue
		}
		i := bits.TrailingZeros8(uint8(different))
		if v.settled[p].has(i) {
			return fmt.Errorf("the group's offsets say that record %d of partition %d is settled, and it is not written: it is lost", i, p)
		}
		return fmt.Errorf("record %d of partition %d is written, and the group's offsets don't say so: it will be doubled", i, p)
	}
	return nil
}

// settled returns which records the group's offset and its map say are settled.
func (w *world) settled(p int8) set {
	o := w.cluster.Decided(group, input(p))
	return w.memory.settledAt(point{max(o.Offset, 0), o.Metadata})
}

// checkEnd checks a state from which nothing goes on without another fault: all records
// are settled, and no transaction is open.
func (w *world) checkEnd() error {
	for p := range w.scope.partitions {
		if left := w.scope.all() &^ w.settled(p); left != 0 {
			return fmt.Errorf("record %d of partition %d is never settled", bits.TrailingZeros8(uint8(left)), p)
		}
	}
	if l := w.cluster.Log(output); l.Stable() != l.End {
		return fmt.Errorf("a transaction stays open: readers of committed records wait at offset %d of %d", l.Stable(), l.End)
	}
	return nil
}

func (w *world) String() string {
	var b strings.Builder
	for i := range w.members {
		fmt.Fprintf(&b, "member %+v\n", w.members[i])
	}
	for _, r := range w.network {
		fmt.Fprintf(&b, "request %+v\n", r)
	}
	for p := range w.scope.partitions {
		o, code := w.cluster.Committed(group, input(p), true)
		fmt.Fprintf(&b, "partition %d: %+v code %d settled %b transaction %+v\n", p, o, code, w.settled(p), w.cluster.Transaction(id(p)))
	}
	v, _ := w.view()
	fmt.Fprintf(&b, "written %b, generation %d, assigned %v, wanted %v\n", v.written, w.generation(), w.assigned, w.wanted)
	return b.String()
}
