package cluster

import (
	"context"
	"errors"
	"math"
	"unicode/utf16"
)

// The internal topics. The leader of the partition that has a group's, or a transactional
// id's, state is its coordinator.
const (
	GroupsTopic       = "__consumer_offsets"
	TransactionsTopic = "__transaction_state"
)

// MoveCoordinator moves the coordinator of a group or of a transactional id to another
// broker. topic is GroupsTopic or TransactionsTopic.
func (c *Cluster) MoveCoordinator(ctx context.Context, topic, key string) error {
	partitions, err := c.Partitions(ctx, topic)
	if err != nil {
		return err
	}
	return c.MoveLeaders(ctx, topic, []int32{partitionOf(key, partitions)})
}

// MoveCoordinatorTo moves it to a broker whose replica is in sync.
func (c *Cluster) MoveCoordinatorTo(ctx context.Context, topic, key string, b int) error {
	partitions, err := c.Partitions(ctx, topic)
	if err != nil {
		return err
	}
	p, err := c.partition(ctx, topic, partitionOf(key, partitions))
	if err != nil {
		return err
	}
	return c.moveLeader(ctx, topic, p, int32(b))
}

// partitionOf returns the partition of an internal topic that has a key's state, as Kafka
// computes it: from Java's hash of the string.
func partitionOf(key string, partitions int32) int32 {
	var hash int32
	for _, unit := range utf16.Encode([]rune(key)) {
		hash = 31*hash + int32(unit)
	}
	if hash == math.MinInt32 {
		hash = 0
	}
	return max(hash, -hash) % partitions
}

// awaitCoordinators makes the cluster create the internal topics, and waits until all
// their partitions have coordinators.
func (c *Cluster) awaitCoordinators(ctx context.Context) error {
	return until(ctx, "wait for the coordinators", func(ctx context.Context) error {
		groups, transactions := c.admin.FindGroupCoordinators(ctx, "any"), c.admin.FindTxnCoordinators(ctx, "any")
		return errors.Join(groups["any"].Err, transactions["any"].Err)
	})
}
