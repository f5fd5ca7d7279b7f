package scaling

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"
)

// decided is a case of a test: a story, and the decision that should follow from it.
type decided struct {
	name     string
	chapters []chapter
	input    func(*Input)
	to       int32
	reason   Reason
}

func (d decided) check(t *testing.T) {
	t.Helper()
	d.decide(t)
}

// decide checks the number of pods and the reason, and returns the Decision.
func (d decided) decide(t *testing.T) Decision {
	t.Helper()
	h, now := tell(d.chapters...)
	in := Input{
		History: h, Policy: Policy{Min: 1, Max: 10}, Partitions: 4, Now: now, KafkaReachable: true,
	}
	if n := len(d.chapters); n > 0 {
		in.Current = d.chapters[n-1].replicas
	}
	if d.input != nil {
		d.input(&in)
	}
	got := Decide(in)
	if got.To != d.to || got.Reason != d.reason {
		t.Errorf("got %d to %d, %s (%s), want %d, %s", got.From, got.To, got.Reason, got.Message, d.to, d.reason)
	}
	if got.Message == "" || strings.ContainsAny(string(got.Reason), " -_") {
		t.Errorf("got reason %q and message %q", got.Reason, got.Message)
	}
	return got
}

func run(t *testing.T, lines []decided) {
	t.Helper()
	for _, d := range lines {
		t.Run(d.name, d.check)
	}
}

func current(n int32) func(*Input) { return func(in *Input) { in.Current = n } }

func zeroMin(in *Input) { in.Policy.Min = 0 }

const minute = time.Minute

func TestBounds(t *testing.T) {
	calm := pods(4, minute, each(10), each(10))
	run(t, []decided{
		{"above the partitions", []chapter{calm}, current(9), 4, AboveCap},
		{"above Max", []chapter{calm}, func(in *Input) { in.Policy.Max = 2 }, 2, AboveCap},
		{"above Max while Kafka is down", nil, func(in *Input) { in.Current, in.KafkaReachable = 12, false }, 4, AboveCap},
		{"above Max, partitions not known", nil, func(in *Input) { in.Current, in.Partitions = 12, 0 }, 10, AboveCap},
		{"below Min", []chapter{calm}, func(in *Input) { in.Current, in.Policy.Min = 1, 3 }, 3, BelowMin},
		{"Min above the partitions", []chapter{calm}, func(in *Input) { in.Current, in.Policy.Min = 1, 7 }, 4, BelowMin},
		{"Min above the partitions, and that many", []chapter{calm}, func(in *Input) { in.Policy.Min = 7 }, 4, OnTarget},
		{"too few at the cap", []chapter{pods(4, 2*minute, each(100), each(10))}, nil, 4, AtCap},
		{"too few at Max", []chapter{pods(2, 2*minute, each(100), each(10))}, func(in *Input) { in.Policy.Max = 2 }, 2, AtCap},
	})
}

func TestKnowsTooLittle(t *testing.T) {
	run(t, []decided{
		{"no sample", nil, current(3), 3, TooLittleKnown},
		{"no sample, no pod", nil, zeroMin, 0, TooLittleKnown},
		{"partitions not known", []chapter{pods(2, minute, each(1), each(1))}, func(in *Input) { in.Partitions = 0 }, 2, TooLittleKnown},
		{"just restarted", []chapter{pods(3, 15*time.Second, each(1), each(1))}, nil, 3, TooLittleKnown},
		{"restarted a while ago: no lowering yet", []chapter{pods(3, 4*minute, each(1), each(1)).but(func(c *chapter) { c.saturation = .1 })}, nil, 3, Stabilizing},
		{"restarted, idle: no lowering yet", []chapter{pods(3, 4*minute, each(0), each(0))}, zeroMin, 3, Stabilizing},
	})
}

func TestOutage(t *testing.T) {
	idle := pods(3, 10*minute, each(0), each(0))
	down := func(in *Input) { in.Policy.Min, in.KafkaReachable = 0, false }
	silent := idle.but(func(c *chapter) { c.silent = true })
	run(t, []decided{
		{"nothing is lowered", []chapter{idle}, down, 3, KafkaUnreachable},
		{"nothing is woken", []chapter{pods(0, minute, each(1), each(0))}, down, 0, KafkaUnreachable},
		{"samples from before an outage do not count", []chapter{idle, silent, pods(3, minute, each(0), each(0))}, zeroMin, 3, Stabilizing},
	})
}

func TestFromZero(t *testing.T) {
	asleep := pods(0, 5*time.Second, each(0), each(0))
	first := pods(0, 5*time.Second, each(1), each(0))
	run(t, []decided{
		{"nothing to read", []chapter{asleep}, zeroMin, 0, Idle},
		{"one sample wakes", []chapter{first}, zeroMin, 1, NewRecords},
		{
			"as many as are known to be needed",
			[]chapter{pods(2, 2*minute, each(30), each(25)), pods(2, 2*minute, each(0), each(50)), pods(0, 2*minute, each(200), each(0))},
			zeroMin, 4, NewRecords,
		},
	})
}

func TestActivation(t *testing.T) {
	few := func(in *Input) { in.Policy.Min, in.Policy.Activation = 0, 40 }
	latest := func(in *Input) {
		few(in)
		for i := range in.History.samples {
			in.History.samples[i].StartsLatest = true
			for p := range in.History.samples[i].Partitions {
				in.History.samples[i].Partitions[p].Committed = -1
			}
		}
	}
	run(t, []decided{
		{"as many as may wait", []chapter{pods(0, 10*time.Second, each(1), each(0))}, few, 0, Idle},
		{"one more", []chapter{pods(0, 10*time.Second, []float64{1, 1, 1, 1.1}, each(0))}, few, 1, NewRecords},
		{"few that will be skipped", []chapter{pods(0, 15*time.Second, each(1), each(0))}, latest, 0, Idle},
		{"many that will be skipped", []chapter{pods(0, 20*time.Second, each(1), each(0))}, latest, 1, NewRecords},
	})
}

func TestCooldown(t *testing.T) {
	changed := func(ago time.Duration) func(*Input) {
		return func(in *Input) { in.Policy.Cooldown, in.LastChange = 10*minute, in.Now.Add(-ago) }
	}
	behind := []chapter{pods(2, 2*minute, each(100), each(25))}
	calm := []chapter{pods(4, 3*minute, each(80), each(80)).but(saturated(.8)), pods(4, 6*minute, each(10), each(10)).but(saturated(.1))}
	run(t, []decided{
		{"up, soon after a change", behind, changed(9 * minute), 2, CoolingDown},
		{"up, long after one", behind, changed(11 * minute), 4, LagAboveTarget},
		{"up, and none was made ever", behind, func(in *Input) { in.Policy.Cooldown = 10 * minute }, 4, LagAboveTarget},
		{"down, soon after a change", calm, changed(9 * minute), 4, CoolingDown},
		{"down, long after one", calm, changed(11 * minute), 1, LoadBelowCapacity},
		{"bounds don't wait", calm, func(in *Input) { changed(minute)(in); in.Policy.Max = 3 }, 3, AboveCap},
		{"the first pod does not wait", []chapter{pods(0, minute, each(1), each(0))}, func(in *Input) { changed(minute)(in); in.Policy.Min = 0 }, 1, NewRecords},
		{"nothing is due", []chapter{pods(4, 2*minute, each(80), each(80)).but(saturated(.8))}, changed(minute), 4, OnTarget},
	})
}

func TestWindows(t *testing.T) {
	behind := []chapter{pods(2, minute, each(10), each(10)).but(saturated(.2)), pods(2, 2*minute, each(100), each(25))}
	calm := []chapter{pods(4, 3*minute, each(80), each(80)).but(saturated(.8)), pods(4, 2*minute, each(10), each(10)).but(saturated(.1))}
	run(t, []decided{
		{"up within the window", behind, func(in *Input) { in.Policy.UpWindow = 5 * minute }, 2, Stabilizing},
		{"up after it", behind, func(in *Input) { in.Policy.UpWindow = minute }, 4, LagAboveTarget},
		{"a long one up leaves a short one down", calm, func(in *Input) { in.Policy.UpWindow, in.Policy.DownWindow = 5*minute, 30*time.Second }, 1, LoadBelowCapacity},
		{"a short one down leaves a long one up", behind, func(in *Input) { in.Policy.UpWindow, in.Policy.DownWindow = 5*minute, 30*time.Second }, 2, Stabilizing},
	})
}

func TestToZero(t *testing.T) {
	busy, idle := pods(2, minute, each(10), each(10)), pods(2, 6*minute, each(0), each(10))
	run(t, []decided{
		{"idle for long enough", []chapter{busy, idle}, zeroMin, 0, Idle},
		{"from the minimum of one", []chapter{busy, idle}, func(in *Input) { in.Policy.Max = 2 }, 2, OnTarget},
		{"not for long enough", []chapter{pods(2, 4*minute, each(10), each(10)), pods(2, 4*minute, each(0), each(10))}, zeroMin, 2, Stabilizing},
		{"pods that are not ready are not needed either", []chapter{busy, idle.but(func(c *chapter) { c.ready = 0 })}, zeroMin, 0, Idle},
		{"something is left", []chapter{busy, pods(1, 10*time.Second, each(1), each(0)), pods(1, 6*minute, each(0), each(0))}, zeroMin, 1, NoProgress},
		{
			"something stuck is left",
			[]chapter{busy, pods(1, 10*time.Second, each(1), []float64{0, 1, 1, 1}), pods(1, 6*minute, each(0), []float64{0, 1, 1, 1}).but(func(c *chapter) { c.stuck = []int32{0} })},
			zeroMin, 1, OnTarget,
		},
	})
}

func TestWaitsForARebalance(t *testing.T) {
	behind := pods(1, 2*minute, each(100), each(10))
	run(t, []decided{
		{"just changed", []chapter{behind, pods(2, 10*time.Second, each(100), each(10))}, nil, 2, Rebalancing},
		{"changed since the last sample", []chapter{behind}, current(2), 2, Rebalancing},
		{"the workers say so", []chapter{behind, behind.but(func(c *chapter) { c.lasts, c.rebalancing = minute, true })}, nil, 1, Rebalancing},
		{"a pod became ready", []chapter{behind.but(func(c *chapter) { c.replicas = 2 }), pods(2, 15*time.Second, each(100), each(10))}, nil, 2, Rebalancing},
		{"none is ready", []chapter{behind.but(func(c *chapter) { c.ready = 0 })}, nil, 1, PodsNotReady},
		{"not all are ready", []chapter{behind.but(func(c *chapter) { c.replicas = 2 })}, nil, 2, PodsNotReady},
	})
}

// TestAlwaysInBounds checks decisions after random stories: the number of pods is never
// above the cap or below Min, and does not fall while Kafka is down.
func TestAlwaysInBounds(t *testing.T) {
	for seed := range uint64(300) {
		r := rand.New(rand.NewPCG(seed, 1))
		var chapters []chapter
		for range 1 + r.IntN(5) {
			rates := func() []float64 {
				return []float64{100 * r.Float64(), 50 * r.Float64(), 100 * r.Float64(), float64(r.IntN(2))}
			}
			c := pods(r.Int32N(7), time.Duration(r.IntN(400))*time.Second, rates(), rates())
			c.ready = r.Int32N(c.replicas + 1)
			c.saturation, c.silent, c.rebalancing = r.Float64()*1.2-.2, r.IntN(6) == 0, r.IntN(6) == 0
			chapters = append(chapters, c)
		}
		h, now := tell(chapters...)
		in := Input{
			History: h, Policy: Policy{Min: r.Int32N(3), Max: 1 + r.Int32N(8)}, Partitions: r.Int32N(5),
			Current: r.Int32N(9), Now: now, KafkaReachable: r.IntN(4) > 0,
		}
		highest := in.Policy.Max
		if in.Partitions > 0 {
			highest = min(highest, in.Partitions)
		}
		d := Decide(in)
		if d.Cap != highest || d.To > highest || d.To < min(in.Policy.Min, highest) {
			t.Errorf("seed %d: %+v with Min %d, Max %d, %d partitions", seed, d, in.Policy.Min, in.Policy.Max, in.Partitions)
		}
		if !in.KafkaReachable && d.To < min(in.Current, highest) {
			t.Errorf("seed %d: the number of pods was lowered while Kafka was down: %+v", seed, d)
		}
	}
}
