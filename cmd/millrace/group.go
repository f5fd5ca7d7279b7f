package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/millrace-dev/millrace/worker/kafka/admin"
)

const (
	// groupInterval is how often a run looks at its consumer group.
	groupInterval = time.Second
	// groupPatience bounds the first look, at which coordinators may be elected.
	groupPatience = 10 * time.Second
)

// groupView is a consumer group as its coordinator sees it.
type groupView struct {
	committed []int64 // the offset of each partition, -1 for none
	members   []admin.GroupMember
}

// others returns the members apart from those with the given ids.
func (v *groupView) others(own map[string]bool) []admin.GroupMember {
	var others []admin.GroupMember
	for _, m := range v.members {
		if !own[m.ID] {
			others = append(others, m)
		}
	}
	return others
}

// groupWatch looks at the consumer group of a run from outside: on a real cluster the run
// may share it with pods, with other runs, and with members that were killed.
type groupWatch struct {
	admin      *admin.Admin
	group      admin.GroupTopic
	partitions int32
	first      *groupView // before the run
	last       atomic.Pointer[groupView]
}

// watchGroup looks at the group for the first time.
func watchGroup(ctx context.Context, c *cluster, group, topic string, partitions int) (*groupWatch, error) {
	a, err := admin.New(c.access)
	if err != nil {
		return nil, err
	}
	w := &groupWatch{admin: a, group: admin.GroupTopic{Group: group, Topic: topic}, partitions: int32(partitions)}
	ctx, cancel := context.WithTimeout(ctx, groupPatience)
	defer cancel()
	err = c.client.Retry(ctx, func(ctx context.Context) (err error) {
		w.first, err = w.look(ctx)
		return err
	})
	if err != nil {
		a.Close()
		return nil, fmt.Errorf("look at the consumer group: %w", err)
	}
	w.last.Store(w.first)
	return w, nil
}

func (w *groupWatch) look(ctx context.Context) (*groupView, error) {
	offsets := w.admin.CommittedOffsets(ctx, map[admin.GroupTopic]int32{w.group: w.partitions})[w.group]
	if offsets.Err != nil {
		return nil, offsets.Err
	}
	members, err := w.admin.Members(ctx, w.group.Group)
	return &groupView{offsets.Offsets, members}, err
}

// run keeps the view up to date until ctx ends. A look that fails changes nothing: the
// workers report the cluster's troubles.
func (w *groupWatch) run(ctx context.Context) {
	tick := time.NewTicker(groupInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if view, err := w.look(ctx); err == nil {
				w.last.Store(view)
			}
		}
	}
}

// settled returns the offsets below which the run's workers, or other members of the
// group, have settled all records. watermarks are those of the run's workers.
func (w *groupWatch) settled(watermarks map[int32]int64) map[int32]int64 {
	if w == nil {
		return watermarks
	}
	all := byPartition(w.last.Load().committed)
	for partition, offset := range watermarks {
		all[partition] = max(all[partition], offset)
	}
	return all
}

// otherMembers returns the members of the group that are not of this run.
func (w *groupWatch) otherMembers(own map[string]bool) []admin.GroupMember {
	if w == nil {
		return nil // nobody shares an embedded broker
	}
	return w.last.Load().others(own)
}

// delete deletes the group, whose members have left.
func (w *groupWatch) delete(ctx context.Context) error {
	return w.admin.DeleteGroup(ctx, w.group.Group)
}

// close closes the connections.
func (w *groupWatch) close() {
	if w != nil {
		w.admin.Close()
	}
}

// describeMembers names members of a group.
func describeMembers(members []admin.GroupMember) string {
	one := members[0]
	name := fmt.Sprintf("client %q at %s", one.ClientID, one.Host)
	if len(members) == 1 {
		return "1 other member, " + name
	}
	return fmt.Sprintf("%d other members, such as %s", len(members), name)
}
