package faults

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/millrace-dev/millrace/hack/chaos/cluster"
)

// leaderKinds move leaders and coordinators, as balancing and rolling restarts do.
func leaderKinds() []Kind {
	return []Kind{
		{Name: "leader moves", Class: Leader, Weight: 6, Graceful: true, Begin: moveLeaders},
		{Name: "group coordinator moves", Class: Leader, Weight: 4, Graceful: true, Begin: moveGroup},
		{Name: "transaction coordinator moves", Class: Leader, Weight: 4, Graceful: true, ExactlyOnce: true, Begin: moveTransactions},
	}
}

// moveLeaders moves some leaders of the input or of the output topic.
func moveLeaders(ctx context.Context, e *Env, pick *rand.Rand) (Applied, error) {
	topic := e.Input
	if pick.IntN(2) == 0 {
		topic = e.Output
	}
	share := pick.Float64()
	partitions, err := e.Cluster.Partitions(ctx, topic)
	if err != nil {
		return Applied{}, err
	}
	moved := []int32{pick.Int32N(partitions)}
	for p := range partitions {
		if p != moved[0] && pick.Float64() < share {
			moved = append(moved, p)
		}
	}
	detail := fmt.Sprintf("topic %s, partitions %v", topic, moved)
	return Applied{Detail: detail, End: nothing}, e.Cluster.MoveLeaders(ctx, topic, moved)
}

func moveGroup(ctx context.Context, e *Env, _ *rand.Rand) (Applied, error) {
	return Applied{Detail: "group " + e.Group, End: nothing}, e.Cluster.MoveCoordinator(ctx, cluster.GroupsTopic, e.Group)
}

func moveTransactions(ctx context.Context, e *Env, _ *rand.Rand) (Applied, error) {
	if e.TransactionalID == nil {
		return Applied{}, ErrNotNow
	}
	id := e.TransactionalID()
	return Applied{Detail: "transactional id " + id, End: nothing}, e.Cluster.MoveCoordinator(ctx, cluster.TransactionsTopic, id)
}
