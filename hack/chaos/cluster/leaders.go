package cluster

import (
	"context"
	"fmt"
	"slices"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// MoveLeaders makes another replica in sync the leader of each partition: the next one in
// the order of the partition's replicas.
func (c *Cluster) MoveLeaders(ctx context.Context, topic string, partitions []int32) error {
	for _, n := range partitions {
		p, err := c.partition(ctx, topic, n)
		if err != nil {
			return err
		}
		to, ok := successor(p.Leader, p.Replicas, p.ISR)
		if !ok {
			return fmt.Errorf("move the leader %d of topic %q partition %d: of its replicas %v only %v are in sync",
				p.Leader, topic, n, p.Replicas, p.ISR)
		}
		if err := c.moveLeader(ctx, topic, p, to); err != nil {
			return err
		}
	}
	return nil
}

// moveLeader makes a replica in sync the leader of a partition.
func (c *Cluster) moveLeader(ctx context.Context, topic string, p kmsg.MetadataResponseTopicPartition, to int32) error {
	n := p.Partition
	// The leader elected below is the first of the list; the set of replicas stays.
	order := append([]int32{to}, slices.DeleteFunc(slices.Clone(p.Replicas), func(r int32) bool { return r == to })...)
	var assign kadm.AlterPartitionAssignmentsReq
	assign.Assign(topic, n, order)
	assigned, err := c.admin.AlterPartitionAssignments(ctx, assign)
	if err == nil {
		err = assigned.Error()
	}
	if err != nil {
		return fmt.Errorf("prefer broker %d as leader of topic %q partition %d: %w", to, topic, n, err)
	}
	what := fmt.Sprintf("wait until broker %d leads topic %q partition %d", to, topic, n)
	return until(ctx, what, func(ctx context.Context) error {
		return c.elect(ctx, topic, n, to)
	})
}

// elect elects the preferred leader, and returns an error until all brokers know to as the leader.
func (c *Cluster) elect(ctx context.Context, topic string, n, to int32) error {
	var set kadm.TopicsSet
	set.Add(topic, n)
	// The answer for a partition is an error too when there is nothing left to do.
	if _, err := c.admin.ElectLeaders(ctx, kadm.ElectPreferredReplica, set); err != nil {
		return err
	}
	return c.agreed(ctx, []string{topic}, func(res *kmsg.MetadataResponse) error {
		p, err := partitionIn(res, n)
		if err == nil && p.Leader != to {
			err = fmt.Errorf("broker %d leads", p.Leader)
		}
		return err
	})
}

// successor returns the next replica in sync after the leader.
func successor(leader int32, replicas, inSync []int32) (int32, bool) {
	at := slices.Index(replicas, leader)
	for i := 1; i <= len(replicas); i++ {
		r := replicas[(at+i)%len(replicas)]
		if r != leader && slices.Contains(inSync, r) {
			return r, true
		}
	}
	return 0, false
}
