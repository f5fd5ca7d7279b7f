package scaling

import (
	"slices"
	"testing"
	"time"
)

func saturated(share float64) func(*chapter) { return func(c *chapter) { c.saturation = share } }

func twelve(rate float64) []float64 { return slices.Repeat([]float64{rate}, 12) }

func TestRaises(t *testing.T) {
	calm := pods(1, 2*minute, each(10), each(10)).but(saturated(.4)) // of 100 a second
	run(t, []decided{
		{"behind", []chapter{pods(1, 2*minute, each(30), each(20))}, nil, 2, LagAboveTarget},
		{"far behind: not more than fourfold", []chapter{pods(1, 2*minute, twelve(300), twelve(25))}, func(in *Input) { in.Partitions = 12 }, 4, LagAboveTarget},
		{"for the backlog too", []chapter{pods(2, 10*minute, twelve(20), twelve(50./3))}, func(in *Input) { in.Policy.Max, in.Partitions = 12, 12 }, 6, LagAboveTarget},
		{"not for long enough", []chapter{calm, pods(1, 15*time.Second, each(200), each(25)).but(saturated(1))}, nil, 1, Stabilizing},
		{"overloaded, though within the target", []chapter{calm, pods(1, 40*time.Second, each(30), each(25)).but(saturated(1))}, nil, 2, LoadAboveCapacity},
		{"catching up", []chapter{pods(1, 4*minute, each(30), each(20)), pods(1, minute, each(5), each(20))}, nil, 1, OnTarget},
		{"a record now and then", []chapter{pods(1, 5*minute, each(.02), each(.02))}, nil, 1, OnTarget},
		{"within a longer target", []chapter{pods(1, 2*minute, each(30), each(25))}, func(in *Input) { in.Policy.TargetLag = 10 * minute }, 2, LoadAboveCapacity},
		{"what the present pods need", []chapter{pods(2, 2*minute, each(25), each(25)).but(saturated(.95))}, nil, 2, OnTarget},
	})
}

func TestStuck(t *testing.T) {
	one := []float64{0, 25, 25, 25}
	hinted := func(ids ...int32) func(*chapter) { return func(c *chapter) { c.stuck = ids } }
	fine := pods(2, 2*minute, each(25), each(25)).but(saturated(.6))
	run(t, []decided{
		{"one, before it is known", []chapter{fine, pods(2, 50*time.Second, each(25), one).but(saturated(.6))}, nil, 2, OnTarget},
		{"one", []chapter{fine, pods(2, 10*minute, each(25), one).but(saturated(.6))}, nil, 2, OnTarget},
		{"one, with a hint", []chapter{fine, pods(2, 2*minute, each(25), one).but(saturated(.6)).but(hinted(0))}, nil, 2, OnTarget},
		{"all, with hints", []chapter{fine, pods(2, 2*minute, each(25), each(0)).but(hinted(0, 1, 2, 3))}, nil, 2, StuckPartitions},
		{"all, without a hint", []chapter{fine, pods(2, 2*minute, each(25), each(0))}, nil, 2, NoProgress},
		{"from the start", []chapter{pods(2, 5*minute, each(25), each(0))}, nil, 2, NoProgress},
		{"one, and the others are behind", []chapter{fine, pods(2, 5*minute, each(40), one)}, nil, 4, LagAboveTarget},
		{"one, and the others need fewer pods", []chapter{pods(4, 8*minute, each(10), []float64{0, 10, 10, 10}).but(saturated(.1))}, nil, 1, LoadBelowCapacity},
	})
}

func TestLowers(t *testing.T) {
	busy, calm := pods(4, 3*minute, each(80), each(80)).but(saturated(.8)), pods(4, 6*minute, each(10), each(10)).but(saturated(.1))
	run(t, []decided{
		{"needed by none for long enough", []chapter{busy, calm}, nil, 1, LoadBelowCapacity},
		{"to the minimum", []chapter{busy, calm}, func(in *Input) { in.Policy.Min = 2 }, 2, LoadBelowCapacity},
		{"needed a while ago", []chapter{busy, calm.but(func(c *chapter) { c.lasts = 4 * minute })}, nil, 4, Stabilizing},
		{"fewer still may do soon", []chapter{busy, calm.but(func(c *chapter) { c.lasts, c.in, c.out, c.saturation = 4*minute, each(30), each(30), .3 }), calm.but(func(c *chapter) { c.lasts = 200 * time.Second })}, nil, 4, Stabilizing},
		{"changed a while ago", []chapter{pods(3, 6*minute, each(10), each(10)), calm.but(func(c *chapter) { c.lasts = 4 * minute })}, nil, 4, Stabilizing},
		{"an interruption a while ago", []chapter{calm, calm.but(func(c *chapter) { c.lasts, c.silent = 2*minute, true }), calm.but(func(c *chapter) { c.lasts = 4 * minute })}, nil, 4, Stabilizing},
		{"behind", []chapter{pods(4, 3*minute, each(80), each(60)), pods(4, 6*minute, each(5), each(8)).but(saturated(.1))}, nil, 4, AtCap},
		{"nothing is known of the pods", []chapter{pods(4, 8*minute, each(10), each(10))}, nil, 4, OnTarget},
		{"the last time it was too few", []chapter{
			pods(2, 3*minute, each(60), each(50)).but(saturated(.3)), pods(4, 8*minute, each(60), each(100)).but(saturated(.2)),
		}, nil, 4, OnTarget},
	})
}

// few is a story with a raise from one pod to two that does not help.
var few = []chapter{
	pods(1, 2*minute, each(60), each(25)), pods(2, 90*time.Second, each(60), each(25)),
}

func TestRaiseThatDidNotHelp(t *testing.T) {
	back := pods(1, 2*minute, each(60), each(25))
	later := func(d time.Duration) []chapter {
		return slices.Concat(few, []chapter{back.but(func(c *chapter) { c.lasts = d })})
	}
	run(t, []decided{
		{"is taken back", few, nil, 1, RaiseDidNotHelp},
		{"is not repeated", later(2 * minute), nil, 1, RaiseDidNotHelp},
		{"is not repeated half an hour later", later(30 * minute), nil, 1, RaiseDidNotHelp},
		{"is tried again in an hour", later(62 * minute), nil, 2, LagAboveTarget},
		{"helped", []chapter{few[0], pods(2, 90*time.Second, each(60), each(48))}, nil, 4, LagAboveTarget},
		{"helped less than it cost", []chapter{few[0], pods(4, 90*time.Second, each(60), each(40))}, nil, 2, RaiseDidNotHelp},
		{"in other partitions than are behind now", slices.Concat(
			[]chapter{pods(1, 2*minute, []float64{60, 5, 5, 5}, []float64{25, 5, 5, 5}), pods(2, 90*time.Second, []float64{60, 5, 5, 5}, []float64{25, 5, 5, 5})},
			[]chapter{pods(1, 2*minute, []float64{60, 40, 40, 40}, each(20))},
		), nil, 2, LagAboveTarget},
	})
}

func TestHotPartition(t *testing.T) {
	in, out := []float64{120, 2, 2, 2}, []float64{90, 2, 2, 2}
	run(t, []decided{
		{"has a pod to itself", []chapter{pods(2, 3*minute, in, out).but(saturated(.48))}, nil, 2, HotPartition},
	})
}

func TestInputsOfADecision(t *testing.T) {
	h, now := tell(pods(2, 5*minute, each(25), []float64{0, 25, 25, 25}).but(saturated(.5)))
	d := Decide(Input{History: h, Policy: Policy{Min: 1, Max: 4}, Partitions: 4, Current: 2, Now: now, KafkaReachable: true})
	in := d.Inputs
	if in.Lag != 25*300 || in.ArrivedPerSecond != 75 || in.ProcessedPerSecond != 75 || in.Saturation != .5 || !slices.Equal(in.Stuck, []int32{0}) {
		t.Errorf("got %+v", in)
	}
	if in.LagSeconds == nil || *in.LagSeconds != 0 {
		t.Errorf("got %v lag seconds of the partitions that are not stuck", in.LagSeconds)
	}
}
