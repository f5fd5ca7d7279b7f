package drive

import (
	"context"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/check"
	"github.com/millrace-dev/millrace/hack/chaos/schedule"
)

// brokerKillName is the name of the fault that kills a broker.
const brokerKillName = "broker kill"

// alone are the faults that happen one at a time before the others, so that what they
// cost can be measured. Each episode begins at another place of the list.
var alone = []string{
	termName, killName, addName, brokerKillName, removeName, killName, termName, addName, removeName, killName,
}

// bounds are how long nothing may come out after a fault alone: of partitions that move,
// and of partitions that stay where they are. A handover takes less than a second, and the
// record that a partition's drain waits for takes its own time.
var bounds = []check.Bound{
	{Kind: termName, Moved: time.Second + slowest, Stayed: undisturbed},
	{Kind: addName, Moved: time.Second + slowest, Stayed: undisturbed},
	{Kind: removeName, Moved: time.Second + slowest, Stayed: undisturbed},
	{Kind: killName, Moved: 3 * time.Second, Stayed: time.Second},
	{Kind: brokerKillName, Moved: 10 * time.Second, Stayed: 10 * time.Second},
}

// boundsTimes returns the bounds multiplied by n.
func boundsTimes(n int) []check.Bound {
	all := slices.Clone(bounds)
	for i := range all {
		all[i].Moved *= time.Duration(n)
		all[i].Stayed *= time.Duration(n)
	}
	return all
}

// slowest is how long a slow record, or one with retries, takes at most.
const slowest = 400 * time.Millisecond

// undisturbed is the longest gap of a partition that nothing disturbs. The start of a
// process takes a part of the processors.
const undisturbed = 200*time.Millisecond + slowest

const (
	// brokersWarm is how long the brokers work before the first fault. A JVM that has just
	// started takes ten times as long for a transaction.
	brokersWarm   = 15 * time.Second
	aloneEach     = 3                // faults of the list, until the next episode's
	aloneShare    = 4                // of an episode: a quarter
	aloneSettled  = 3 * time.Second  // at least, after each fault
	alonePatience = 20 * time.Second // at most, until outputs of all partitions come
)

// oneAtATime carries out faults of the list for a part of the episode. How many it can
// depends on the machine, so its choices have another source than the schedule.
func (x *executor) oneAtATime(ctx context.Context, e episode) {
	if e.number == 0 {
		_ = wait(ctx, brokersWarm)
	}
	begun := time.Now()
	pick := rand.New(rand.NewPCG(e.seed, 2))
	x.settle(ctx)
	for n := e.number * aloneEach; ctx.Err() == nil && time.Since(begun) < e.length/aloneShare; n++ {
		kind := x.faults[alone[n%len(alone)]]
		event := x.step(ctx, schedule.Step{Kind: kind.Name, Hold: kind.Hold[1], Seed: pick.Uint64()}, true)
		x.settle(ctx)
		if event != nil {
			x.journal.update(event, func(e *check.Event) { e.Until = time.Now() })
		}
	}
}

// settle waits until outputs of all partitions come.
func (x *executor) settle(ctx context.Context) {
	_ = wait(ctx, aloneSettled)
	ctx, cancel := context.WithTimeout(ctx, alonePatience)
	defer cancel()
	_ = await(ctx, "outputs of all partitions come", func() bool { return x.checker.Flowing(time.Now()) })
}
