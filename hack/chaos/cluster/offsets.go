package cluster

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
)

// Committed returns a group's committed offsets of a topic. A partition without one is
// absent.
func (c *Cluster) Committed(ctx context.Context, group, topic string) (map[int32]kadm.Offset, error) {
	res, err := c.admin.FetchOffsets(ctx, group)
	if err == nil {
		err = res.Error()
	}
	if err != nil {
		return nil, fmt.Errorf("fetch the offsets of group %q: %w", group, err)
	}
	committed := map[int32]kadm.Offset{}
	for p, offset := range res[topic] {
		committed[p] = offset.Offset
	}
	return committed, nil
}

// Ends are the offsets of a partition's log.
type Ends struct {
	Start  int64 // the first that the log has
	Stable int64 // where readers of committed records have to stop
	End    int64 // that of the next record
}

// Ends returns the offsets of each of a topic's partitions.
func (c *Cluster) Ends(ctx context.Context, topic string) (map[int32]Ends, error) {
	ends := map[int32]Ends{}
	for _, kind := range []struct {
		list func(context.Context, ...string) (kadm.ListedOffsets, error)
		set  func(*Ends, int64)
	}{
		{c.admin.ListStartOffsets, func(e *Ends, at int64) { e.Start = at }},
		{c.admin.ListCommittedOffsets, func(e *Ends, at int64) { e.Stable = at }},
		{c.admin.ListEndOffsets, func(e *Ends, at int64) { e.End = at }},
	} {
		listed, err := kind.list(ctx, topic)
		if err == nil {
			err = listed.Error()
		}
		if err != nil {
			return nil, fmt.Errorf("list the offsets of topic %q: %w", topic, err)
		}
		for p, offset := range listed[topic] {
			e := ends[p]
			kind.set(&e, offset.Offset)
			ends[p] = e
		}
	}
	return ends, nil
}
