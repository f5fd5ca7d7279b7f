package engine

import (
	"cmp"
	"slices"
	"sync/atomic"
)

// roster is the list of the partitions that a member has, for all goroutines but the
// feeder's. The feeder publishes a new list with each change.
type roster struct{ list atomic.Pointer[[]*partition] }

// partitions returns the partitions in the order of their numbers. The caller must not
// change the list.
func (r *roster) partitions() []*partition {
	if list := r.list.Load(); list != nil {
		return *list
	}
	return nil
}

func (r *roster) publish(readers map[int32]*reader) {
	list := make([]*partition, 0, len(readers))
	for _, reader := range readers {
		list = append(list, reader.partition)
	}
	slices.SortFunc(list, func(a, b *partition) int { return cmp.Compare(a.id, b.id) })
	r.list.Store(&list)
}
