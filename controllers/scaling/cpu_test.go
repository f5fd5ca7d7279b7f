package scaling

import (
	"slices"
	"testing"
	"time"
)

// resized is a case of a test of the pods' CPU.
type resized struct {
	decided
	cpu CPU // the decided CPU of each pod
}

func runResized(t *testing.T, lines []resized) {
	t.Helper()
	for _, r := range lines {
		t.Run(r.name, func(t *testing.T) {
			if got := r.decide(t); got.ToCPU != r.cpu {
				t.Errorf("got %v to %v of CPU, %s (%s), want %v", got.FromCPU, got.ToCPU, got.Reason, got.Message, r.cpu)
			}
		})
	}
}

// cpu sets the CPU of the pods in a chapter.
func cpu(c CPU) func(*chapter) { return func(ch *chapter) { ch.cpu = c } }

// vertical describes a StreamProcessor whose pods start with 1 CPU, may have 4, and should
// have has at present.
func vertical(has CPU, more ...func(*Input)) func(*Input) {
	return func(in *Input) {
		in.Policy.Vertical = Vertical{Base: 1000, Max: 4000}
		in.CPU = has
		for _, m := range more {
			m(in)
		}
	}
}

// slow is a chapter in which 40 records a second arrive in each of 4 partitions, and 25
// are processed.
func slow(n int32, has CPU, lasts time.Duration) chapter {
	return pods(n, lasts, each(40), each(25)).but(cpu(has)).but(saturated(1))
}

func TestMoreCPU(t *testing.T) {
	hot := pods(2, 3*minute, []float64{120, 2, 2, 2}, []float64{90, 2, 2, 2}).but(saturated(.48)).but(cpu(1000))
	pending := func(in *Input) { in.Resize = Resize{Pending: true, Message: "pod a: Deferred"} }
	room := func(in *Input) { in.Resize = Resize{Room: 2000, Message: "pod a: Infeasible"} }
	runResized(t, []resized{
		{decided{"at the partitions", []chapter{slow(4, 1000, 2*minute)}, vertical(1000), 4, MorePodsDoNotHelp}, 3000},
		{decided{"at Max", []chapter{slow(2, 1000, 2*minute)}, vertical(1000, func(in *Input) { in.Policy.Max = 2 }), 2, MorePodsDoNotHelp}, 3000},
		{decided{"a little is enough", []chapter{pods(4, 5*minute, each(26), each(25)).but(cpu(1000)).but(saturated(1))}, vertical(1000, func(in *Input) { in.Policy.Vertical.Step, in.Policy.TargetLag = 100, 5*time.Second }), 4, MorePodsDoNotHelp}, 1300},
		{decided{"a hot partition", []chapter{hot}, vertical(1000), 2, MorePodsDoNotHelp}, 2000},
		{decided{"pods come first", []chapter{slow(2, 1000, 2*minute)}, vertical(1000), 4, LagAboveTarget}, 1000},
		{decided{"not for long enough", []chapter{pods(4, minute, each(25), each(25)).but(cpu(1000)).but(saturated(.5)), slow(4, 1000, 2*minute)}, vertical(1000, func(in *Input) { in.Policy.UpWindow = 5 * minute }), 4, Stabilizing}, 1000},
		{decided{"some are not ready", []chapter{slow(4, 1000, 2*minute).but(func(c *chapter) { c.ready = 3 })}, vertical(1000), 4, PodsNotReady}, 1000},
		{decided{"capacity not known", []chapter{pods(4, 5*minute, each(40), each(25)).but(cpu(1000)).but(func(c *chapter) { c.out = each(25) })}, vertical(1000), 4, MorePodsDoNotHelp}, 4000},
		{decided{"as much as there may be", []chapter{slow(4, 4000, 2*minute)}, vertical(4000), 4, AtCap}, 4000},
		{decided{"the pods don't have it yet", []chapter{slow(4, 1000, 2*minute)}, vertical(2000), 4, ResizePending}, 2000},
		{decided{"a node says to wait", []chapter{slow(4, 1000, 2*minute)}, vertical(2000, pending), 4, ResizePending}, 2000},
		{decided{"a node has room for less", []chapter{slow(4, 1000, 2*minute)}, vertical(3000, room), 4, NoRoom}, 2000},
		{decided{"a node has no more", []chapter{slow(4, 2000, 2*minute)}, vertical(2000, room), 4, AtCap}, 2000},
		{decided{"soon after a change", []chapter{slow(4, 1000, 2*minute)}, vertical(1000, func(in *Input) { in.Policy.Cooldown, in.LastChange = 10*minute, in.Now.Add(-minute) }), 4, CoolingDown}, 1000},
		{decided{"Kafka is down", []chapter{slow(4, 1000, 2*minute)}, vertical(1000, func(in *Input) { in.KafkaReachable = false }), 4, KafkaUnreachable}, 1000},
		{decided{"nothing moves", []chapter{slow(4, 1000, 2*minute), pods(4, 2*minute, each(40), each(0)).but(cpu(1000))}, vertical(1000), 4, NoProgress}, 1000},
		{decided{"not asked for", []chapter{slow(4, 1000, 2*minute)}, func(in *Input) { in.CPU = 1000 }, 4, AtCap}, 1000},
		{decided{"no limit to begin with", []chapter{slow(4, 0, 2*minute)}, vertical(0, func(in *Input) { in.Policy.Vertical.Base = 0 }), 4, AtCap}, 0},
		{decided{"none was given yet", []chapter{slow(2, 1000, 2*minute)}, vertical(0), 4, LagAboveTarget}, 1000},
	})
}

func TestCPUWithinItsBounds(t *testing.T) {
	calm := pods(4, minute, each(10), each(10)).but(cpu(3000)).but(saturated(.5))
	runResized(t, []resized{
		{decided{"Max was lowered", []chapter{calm}, vertical(3000, func(in *Input) { in.Policy.Vertical.Max = 2000 }), 4, AboveCap}, 2000},
		{decided{"Max is below Base", []chapter{calm}, vertical(3000, func(in *Input) { in.Policy.Vertical.Max = 500 }), 4, AboveCap}, 1000},
		{decided{"Base was raised", []chapter{calm}, vertical(3000, func(in *Input) { in.Policy.Vertical.Base = 3500 }), 4, Stabilizing}, 3500},
		{decided{"no pod is left", []chapter{pods(2, minute, each(10), each(10)).but(cpu(3000)), pods(2, 6*minute, each(0), each(10)).but(cpu(3000))}, vertical(3000, zeroMin), 0, Idle}, 1000},
		{decided{"a pod wakes", []chapter{pods(0, minute, each(1), each(0))}, vertical(3000, zeroMin), 1, NewRecords}, 3000},
	})
}

func TestLessCPU(t *testing.T) {
	busy, calm := pods(4, 3*minute, each(80), each(80)).but(saturated(.8)).but(cpu(4000)), pods(4, 6*minute, each(10), each(10)).but(saturated(.1)).but(cpu(4000))
	lasts := func(d time.Duration) func(*chapter) { return func(c *chapter) { c.lasts = d } }
	runResized(t, []resized{
		{decided{"not needed for long enough", []chapter{busy, calm}, vertical(4000), 4, LoadBelowCapacity}, 1000},
		{decided{"some of it is needed", []chapter{busy, calm.but(func(c *chapter) { c.in, c.out, c.saturation = each(30), each(30), .3 })}, vertical(4000), 4, LoadBelowCapacity}, 2000},
		{decided{"needed a while ago", []chapter{busy, calm.but(lasts(4 * minute))}, vertical(4000), 4, Stabilizing}, 4000},
		{decided{"changed a while ago", []chapter{calm.but(cpu(3000)), calm.but(lasts(4 * minute))}, vertical(4000), 4, Stabilizing}, 4000},
		{decided{"behind", []chapter{pods(4, 3*minute, each(80), each(60)).but(cpu(4000)), pods(4, 6*minute, each(5), each(8)).but(saturated(.1)).but(cpu(4000))}, vertical(4000), 4, AtCap}, 4000},
		{decided{"then pods go", []chapter{busy.but(cpu(1000)), calm.but(cpu(1000)).but(saturated(.4))}, vertical(1000), 2, LoadBelowCapacity}, 1000},
		{decided{"as little was too little an hour ago", []chapter{
			slow(4, 1000, 2*minute), pods(4, 8*minute, each(40), each(100)).but(saturated(.1)).but(cpu(4000)),
		}, vertical(4000), 4, LoadBelowCapacity}, 2000},
	})
}

func TestMoreCPUThatDidNotHelp(t *testing.T) {
	still := slow(4, 4000, 90*time.Second)
	back := func(d time.Duration) []chapter {
		return []chapter{slow(4, 1000, 2*minute), still, slow(4, 1000, d)}
	}
	runResized(t, []resized{
		{decided{"is taken back", []chapter{slow(4, 1000, 2*minute), still}, vertical(4000), 4, MoreCPUDidNotHelp}, 1000},
		{decided{"is not repeated", back(2 * minute), vertical(1000), 4, AtCap}, 1000},
		{decided{"is not repeated half an hour later", back(30 * minute), vertical(1000), 4, AtCap}, 1000},
		{decided{"is tried again in an hour, by one step", back(62 * minute), vertical(1000), 4, MorePodsDoNotHelp}, 2000},
		{decided{"helped", []chapter{slow(4, 1000, 2*minute), pods(4, 90*time.Second, each(40), each(38)).but(cpu(2000)).but(saturated(1))}, vertical(2000), 4, MorePodsDoNotHelp}, 4000},
	})
}

// TestPodsAreResizedOneAfterAnother checks that a mean that rises in steps counts as one
// raise.
func TestPodsAreResizedOneAfterAnother(t *testing.T) {
	h, _ := tell(slow(4, 1000, 2*minute), slow(4, 1750, 5*time.Second), slow(4, 2500, 5*time.Second), slow(4, 4000, 2*minute))
	if len(h.resizes) != 1 || h.resizes[0].from != 1000 || h.resizes[0].to != 4000 || h.resizes[0].after.at.IsZero() {
		t.Errorf("got the raises %+v, want one from 1000 to 4000", h.resizes)
	}
}

func TestLimits(t *testing.T) {
	for _, c := range []struct {
		v    Vertical
		room CPU
		want []CPU
	}{
		{Vertical{Base: 1000, Max: 4000}, 0, []CPU{1000, 2000, 3000, 4000}},
		{Vertical{Base: 200, Max: 700, Step: 300}, 0, []CPU{200, 500, 700}},
		{Vertical{Base: 1000, Max: 4000}, 2500, []CPU{1000, 2000, 2500}},
		{Vertical{Base: 1000, Max: 500}, 0, []CPU{1000}},
	} {
		if got := slices.Collect(c.v.limits(c.room).all); !slices.Equal(got, c.want) {
			t.Errorf("%+v with room for %v: got %v, want %v", c.v, c.room, got, c.want)
		}
	}
}

func TestCPUIsWrittenAsKubernetesDoes(t *testing.T) {
	for c, want := range map[CPU]string{200: "200m", 1000: "1", 1500: "1500m"} {
		if c.String() != want {
			t.Errorf("got %v, want %s", c, want)
		}
	}
}
