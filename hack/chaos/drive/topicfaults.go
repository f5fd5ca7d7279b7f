package drive

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/check"
	"github.com/millrace-dev/millrace/hack/chaos/cluster"
	"github.com/millrace-dev/millrace/hack/chaos/faults"
	"github.com/millrace-dev/millrace/hack/chaos/schedule"
)

// topicFaults change the topics in ways that the generator or the checker must know of.
type topicFaults struct {
	cluster   *cluster.Cluster
	names     names
	generator *generator
	checker   *check.Checker
}

func (t *topicFaults) faults() []fault {
	return []fault{
		{
			Kind:     schedule.Kind{Name: "input topic grows", Class: string(faults.Topic), Weight: 2, Recovery: 3 * time.Second, Most: 2},
			graceful: true, begin: t.growInput,
		},
		{
			Kind:     schedule.Kind{Name: "output topic grows", Class: string(faults.Topic), Weight: 2, Recovery: 3 * time.Second, Most: 2},
			graceful: true, begin: t.growOutput,
		},
		{
			Kind: schedule.Kind{
				Name: "small max.message.bytes", Class: string(faults.Topic), Weight: 3,
				Hold: [2]time.Duration{2 * time.Second, 6 * time.Second}, Recovery: time.Second,
			},
			graceful: true, begin: t.shrinkMessages,
		},
	}
}

func (t *topicFaults) growInput(ctx context.Context, pick *rand.Rand) (applied, error) {
	to := int32(len(t.generator.ends())) + 1 + pick.Int32N(2)
	if err := t.cluster.Grow(ctx, t.names.Input, to); err != nil {
		return applied{}, err
	}
	if err := t.generator.grow(ctx, to); err != nil {
		return applied{}, err
	}
	return applied{detail: fmt.Sprintf("%d partitions", to)}, nil
}

func (t *topicFaults) growOutput(ctx context.Context, pick *rand.Rand) (applied, error) {
	now, err := t.cluster.Partitions(ctx, t.names.Output)
	if err != nil {
		return applied{}, err
	}
	to := now + 1 + pick.Int32N(2)
	t.checker.OutputGrows(time.Now(), to)
	if err := t.cluster.Grow(ctx, t.names.Output, to); err != nil {
		return applied{}, err
	}
	return applied{detail: fmt.Sprintf("%d partitions", to)}, nil
}

// smallMessages is a max.message.bytes that batches have to be divided for, and that all
// records but the large ones fit.
const smallMessages = "2048"

func (t *topicFaults) shrinkMessages(ctx context.Context, _ *rand.Rand) (applied, error) {
	const key = "max.message.bytes"
	over := t.checker.LargeAreRefused()
	if err := t.cluster.SetTopicConfig(ctx, t.names.Output, key, smallMessages); err != nil {
		return applied{}, err
	}
	return applied{detail: smallMessages, end: func(ctx context.Context) error {
		defer over()
		return t.cluster.SetTopicConfig(ctx, t.names.Output, key, topicConfigs[key])
	}}, nil
}
