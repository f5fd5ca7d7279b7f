package engine

import (
	"slices"
	"sync/atomic"
)

// roster is the list of the partitions that a member has, for all goroutines but the
// feeder's. The feeder publishes a new list with each change. That takes a look at every
// partition, so the feeder makes one change of all partitions that come or go together.
type roster struct{ list atomic.Pointer[[]*partition] }

// partitions returns the partitions. The caller must not change the list.
func (r *roster) partitions() []*partition {
	if list := r.list.Load(); list != nil {
		return *list
	}
	return nil
}

// add publishes a list that holds parts too.
func (r *roster) add(parts []*partition) {
	list := slices.Concat(r.partitions(), parts)
	r.list.Store(&list)
}

// dropReleased publishes a list without the released partitions.
func (r *roster) dropReleased() {
	list := slices.DeleteFunc(slices.Clone(r.partitions()), func(p *partition) bool { return p.inState(released) })
	r.list.Store(&list)
}
