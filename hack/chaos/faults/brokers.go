package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strconv"

	"github.com/millrace-dev/millrace/hack/chaos/cluster"
)

// brokerKinds take a broker down, or hang it.
func brokerKinds() []Kind {
	return []Kind{
		{Name: "broker kill", Class: Broker, Weight: 4, Hold: seconds(0.5, 6), Begin: killBroker},
		{Name: "broker stop", Class: Broker, Weight: 3, Hold: seconds(0.5, 6), Graceful: true, Begin: stopBroker},
		{Name: "broker pause", Class: Broker, Weight: 3, Hold: seconds(0.5, 8), Begin: pauseBroker},
		{Name: "small offset metadata", Class: Broker, Weight: 1, Hold: seconds(3, 6), Graceful: true, Begin: shrinkOffsetMetadata},
	}
}

func killBroker(_ context.Context, e *Env, pick *rand.Rand) (Applied, error) {
	b := pick.IntN(e.Cluster.Brokers())
	e.Cluster.Kill(b)
	return down(e, b), nil
}

func stopBroker(ctx context.Context, e *Env, pick *rand.Rand) (Applied, error) {
	b := pick.IntN(e.Cluster.Brokers())
	return down(e, b).unless(ctx, e.Cluster.Stop(ctx, b))
}

// down is the fault of a broker that has ended.
func down(e *Env, b int) Applied {
	return Applied{
		Detail: fmt.Sprintf("broker %d", b),
		End:    func(ctx context.Context) error { return start(ctx, e, b, nil) },
	}
}

// start starts a broker and waits until the cluster is whole.
func start(ctx context.Context, e *Env, b int, overrides map[string]string) error {
	if err := e.Cluster.Run(ctx, b, overrides); err != nil {
		return err
	}
	return e.Cluster.AwaitInSync(ctx)
}

func pauseBroker(_ context.Context, e *Env, pick *rand.Rand) (Applied, error) {
	b := pick.IntN(e.Cluster.Brokers())
	e.Cluster.Pause(b)
	return Applied{
		Detail: fmt.Sprintf("broker %d", b),
		End: func(ctx context.Context) error {
			e.Cluster.Continue(b)
			return e.Cluster.AwaitInSync(ctx)
		},
	}, nil
}

// shrinkOffsetMetadata makes the group's coordinator refuse metadata that is longer than a
// few bytes. Brokers read that limit at their start only.
func shrinkOffsetMetadata(ctx context.Context, e *Env, pick *rand.Rand) (Applied, error) {
	b, limit := pick.IntN(e.Cluster.Brokers()), pick.IntN(200)
	overrides := map[string]string{"offset.metadata.max.bytes": strconv.Itoa(limit)}
	applied := Applied{
		Detail: fmt.Sprintf("%d bytes at broker %d, which coordinates the group", limit, b),
		End:    func(ctx context.Context) error { return restart(ctx, e, b, nil) },
	}
	err := restart(ctx, e, b, overrides)
	if err == nil {
		err = e.Cluster.MoveCoordinatorTo(ctx, cluster.GroupsTopic, e.Group, b)
	}
	return applied.unless(ctx, err)
}

func restart(ctx context.Context, e *Env, b int, overrides map[string]string) error {
	if err := e.Cluster.Stop(ctx, b); err != nil {
		return err
	}
	return start(ctx, e, b, overrides)
}
