package drive

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/check"
	"github.com/millrace-dev/millrace/hack/chaos/schedule"
	"github.com/millrace-dev/millrace/hack/chaos/workload"
)

// recordPatience is how long such a record holds up the next one.
const recordPatience = 25 * time.Second

// recordFaults write records that end or block the process that tries them.
func recordFaults(g *generator, c *check.Checker) []fault {
	kind := func(k workload.Kind, weight int, recovery time.Duration) fault {
		return fault{
			Kind: schedule.Kind{Name: k.String() + " record", Class: "record", Weight: weight, Recovery: recovery},
			begin: func(context.Context, *rand.Rand) (applied, error) {
				id := g.inject(k)
				return applied{detail: fmt.Sprintf("record %q", id), end: func(ctx context.Context) error {
					ctx, cancel := context.WithTimeout(ctx, recordPatience)
					defer cancel()
					// The end of the episode judges records that take longer.
					_ = await(ctx, "the record is over", func() bool { return c.Ended(id) })
					return nil
				}}, nil
			},
		}
	}
	return []fault{
		kind(workload.Crash, 1, 20*time.Second),
		kind(workload.CrashOnce, 3, 5*time.Second),
		kind(workload.Hang, 2, 10*time.Second),
	}
}
