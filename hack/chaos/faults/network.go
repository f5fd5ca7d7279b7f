package faults

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/proxy"
)

// networkKinds disturb the connections between workers and brokers.
func networkKinds() []Kind {
	return []Kind{
		{Name: "network delay", Class: Latency, Weight: 4, Hold: seconds(1, 6), Graceful: true, Begin: network(delay)},
		{Name: "network throttle", Class: Latency, Weight: 3, Hold: seconds(1, 6), Graceful: true, Begin: network(throttle)},
		{Name: "network reset", Class: Connection, Weight: 5, Hold: seconds(0.5, 4), Graceful: true, Begin: network(reset)},
		{Name: "network cut in an answer", Class: Connection, Weight: 5, Hold: seconds(0.5, 4), Graceful: true, Begin: network(answers(proxy.CutAnswer))},
		{Name: "network lost answer", Class: Connection, Weight: 6, Hold: seconds(0.5, 4), Graceful: true, Begin: network(answers(proxy.DropAnswer))},
		{Name: "network late request", Class: Connection, Weight: 4, Hold: seconds(0.5, 4), Begin: network(late)},
		{Name: "network half-open, requests lost", Class: Reach, Weight: 2, Hold: seconds(0.5, 5), Begin: network(some(proxy.LoseRequests))},
		{Name: "network half-open, answers lost", Class: Reach, Weight: 2, Hold: seconds(0.5, 5), Begin: network(some(proxy.LoseAnswers))},
		{Name: "network black hole", Class: Reach, Weight: 3, Hold: seconds(0.5, 8), Begin: network(some(proxy.BlackHole))},
		{Name: "network refuses", Class: Reach, Weight: 3, Hold: seconds(0.5, 5), Begin: network(some(proxy.Refuse))},
	}
}

// network begins a fault of the proxies.
func network(of func(*Env, *rand.Rand) (f proxy.Fault, detail string)) func(context.Context, *Env, *rand.Rand) (Applied, error) {
	return func(_ context.Context, e *Env, pick *rand.Rand) (Applied, error) {
		f, detail := of(e, pick)
		f.Seed = pick.Uint64()
		injection := e.Proxies.Begin(f)
		where := fmt.Sprintf("broker %d", f.Broker)
		if f.Broker == proxy.AllBrokers {
			where = "all brokers"
		}
		return Applied{
			Detail: fmt.Sprintf("%s, %.0f%% of the connections%s", where, 100*f.Share, detail),
			Hits:   injection.Hits,
			End: func(context.Context) error {
				injection.End()
				return nil
			},
		}, nil
	}
}

// anywhere chooses where a fault hits: one broker or, as rarely as each of them, all.
func anywhere(e *Env, pick *rand.Rand, kind proxy.Kind) proxy.Fault {
	f := proxy.Fault{Kind: kind, Broker: pick.IntN(e.Cluster.Brokers()+1) - 1, Share: 1}
	if pick.IntN(2) == 0 {
		f.Share = 0.2 + 0.8*pick.Float64()
	}
	return f
}

// some is a fault without other choices than where it hits.
func some(kind proxy.Kind) func(*Env, *rand.Rand) (proxy.Fault, string) {
	return func(e *Env, pick *rand.Rand) (proxy.Fault, string) { return anywhere(e, pick, kind), "" }
}

func delay(e *Env, pick *rand.Rand) (proxy.Fault, string) {
	f := anywhere(e, pick, proxy.Delay)
	f.Delay = between(pick, 2*time.Millisecond, 300*time.Millisecond)
	return f, fmt.Sprintf(", %s to %s", f.Delay.Round(time.Millisecond), (2 * f.Delay).Round(time.Millisecond))
}

func throttle(e *Env, pick *rand.Rand) (proxy.Fault, string) {
	f := anywhere(e, pick, proxy.Throttle)
	f.Rate = (32 + pick.IntN(1024)) << 10
	return f, fmt.Sprintf(", %d KiB/s", f.Rate>>10)
}

func reset(e *Env, pick *rand.Rand) (proxy.Fault, string) {
	f := anywhere(e, pick, proxy.Reset)
	f.Delay = between(pick, 20*time.Millisecond, time.Second)
	return f, fmt.Sprintf(", each within %s", f.Delay.Round(time.Millisecond))
}

// answers is a fault that ends connections in answers, or in the place of some.
func answers(kind proxy.Kind) func(*Env, *rand.Rand) (proxy.Fault, string) {
	return func(e *Env, pick *rand.Rand) (proxy.Fault, string) {
		f := anywhere(e, pick, kind)
		return f, single(&f, pick, allAPIs(e))
	}
}

func late(e *Env, pick *rand.Rand) (proxy.Fault, string) {
	f := anywhere(e, pick, proxy.LateRequest)
	f.Delay = between(pick, 50*time.Millisecond, 4*time.Second)
	detail := single(&f, pick, writingAPIs(e))
	return f, fmt.Sprintf("%s, by %s", detail, f.Delay.Round(time.Millisecond))
}
