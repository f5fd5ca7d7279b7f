package drive

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/faults"
	"github.com/millrace-dev/millrace/hack/chaos/schedule"
	"github.com/millrace-dev/millrace/worker/config"
)

// recoveries are how long it takes about until all is as before, by the class of a fault.
var recoveries = map[faults.Class]time.Duration{
	faults.Broker:     10 * time.Second,
	faults.Permission: 2 * time.Second,
}

// networkClasses are those of faults on the way to the brokers.
var networkClasses = []faults.Class{faults.Latency, faults.Connection, faults.Reach}

// kafkaFaults returns the faults on Kafka's side.
func (s *stage) kafkaFaults() []fault {
	names := s.episode.names
	env := &faults.Env{Cluster: s.cluster, Proxies: s.proxies, Input: names.Input, Output: names.Output, Group: names.Group}
	transactions := s.options.Delivery == config.ExactlyOnce
	if transactions {
		env.TransactionalID = func() string { return fmt.Sprintf("%s:%s:0", names.Group, names.Input) }
	}
	var all []fault
	for _, kind := range faults.Kinds() {
		if kind.ExactlyOnce && !transactions {
			continue
		}
		recovery := recoveries[kind.Class]
		if recovery == 0 {
			recovery = time.Second
		}
		all = append(all, fault{
			Kind: schedule.Kind{
				Name: kind.Name, Class: string(kind.Class), Weight: kind.Weight, Hold: kind.Hold, Recovery: recovery,
			},
			graceful: kind.Graceful, kafka: true,
			network: slices.Contains(networkClasses, kind.Class), refuses: kind.Class == faults.Permission,
			begin: func(ctx context.Context, pick *rand.Rand) (applied, error) {
				a, err := kind.Begin(ctx, env, pick)
				return applied{detail: a.Detail, end: a.End, hits: a.Hits}, err
			},
		})
	}
	return all
}
