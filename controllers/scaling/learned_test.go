package scaling

import (
	"reflect"
	"slices"
	"testing"
	"time"
)

// watched replays a story to an operator that notes its decisions, and returns the figures
// that it has learned.
func watched(p Policy, chapters ...chapter) (Learned, time.Time) {
	h := new(History)
	_, now := tell(chapters...)
	var last int32
	for _, s := range allOf(chapters) {
		h.Append(s)
		last = s.Replicas
		h.Note(Decide(Input{History: h, Policy: p, Partitions: 4, Current: last, CPU: s.CPU, Now: s.At, KafkaReachable: true}).notCarriedOut(), s.At)
	}
	return h.Learned(p, last, now), now
}

// notCarriedOut returns the decision as if nobody carried it out: the story itself says how
// many pods there are.
func (d Decision) notCarriedOut() Decision {
	d.To = d.From
	return d
}

// allOf returns all samples of a story, before any are thinned out.
func allOf(chapters []chapter) (samples []Sample) {
	var at time.Time
	for n := range chapters {
		h, now := tell(chapters[:n+1]...)
		for _, s := range h.samples {
			if s.At.After(at) {
				samples = append(samples, s)
			}
		}
		at = now
	}
	return samples
}

// restarted returns the decision at the end of a story by an operator that has restarted
// with nothing but the learned figures.
func restarted(t *testing.T, p Policy, l Learned, began time.Time, change func(*Input), after ...chapter) Decision {
	t.Helper()
	h := new(History)
	h.Restore(l, p, after[0].replicas)
	story, _ := tell(after...)
	for _, s := range story.samples {
		s.At = began.Add(s.At.Sub(begin))
		h.Append(s)
	}
	in := Input{
		History: h, Policy: p, Partitions: 4, Current: after[len(after)-1].replicas, CPU: after[len(after)-1].cpu,
		Now: h.samples[len(h.samples)-1].At, KafkaReachable: true,
	}
	if change != nil {
		change(&in)
	}
	return Decide(in)
}

func TestLearnedFiguresOutliveARestart(t *testing.T) {
	p := Policy{Min: 1, Max: 4}
	zero := Policy{Max: 4}
	calm := pods(4, 6*minute, each(10), each(10)).but(saturated(.1))
	shortly := func(c *chapter) { c.lasts = time.Minute }
	idle := pods(2, 6*minute, each(0), each(0))
	for _, c := range []struct {
		name   string
		policy Policy
		before []chapter
		after  []chapter
		change func(*Input)
		to     int32
		reason Reason
	}{
		{"fewer pods were enough", p, []chapter{calm}, []chapter{calm.but(shortly)}, nil, 1, LoadBelowCapacity},
		{"not for long enough", p, []chapter{calm.but(func(c *chapter) { c.lasts = 3 * minute })}, []chapter{calm.but(shortly)}, nil, 4, Stabilizing},
		{"they are not enough now", p, []chapter{calm}, []chapter{pods(4, minute, each(80), each(80)).but(saturated(.8))}, nil, 4, OnTarget},
		{"more, but not all, are needed now", p, []chapter{calm}, []chapter{pods(4, minute, each(30), each(30)).but(saturated(.3))}, nil, 2, LoadBelowCapacity},
		{"the pods have changed since", p, []chapter{calm}, []chapter{calm.but(shortly)}, func(in *Input) { in.LastChange = in.Now.Add(-2 * minute) }, 4, Stabilizing},
		{"an interruption since", p, []chapter{calm}, []chapter{calm.but(shortly), calm.but(func(c *chapter) { c.lasts, c.silent = 2*minute, true }), calm.but(shortly)}, nil, 4, Stabilizing},
		{"nothing was learned", p, []chapter{pods(4, 10*time.Second, each(10), each(10))}, []chapter{calm.but(shortly)}, nil, 4, Stabilizing},
		{"idle before and after", zero, []chapter{idle}, []chapter{idle.but(func(c *chapter) { c.lasts = 10 * time.Second })}, nil, 0, Idle},
		{"records arrived during the restart", zero, []chapter{pods(2, minute, each(10), each(10)), idle}, []chapter{pods(2, 10*time.Second, each(11), each(11))}, nil, 2, TooLittleKnown},
		{"a raise that did not help", p, few, []chapter{pods(1, 2*minute, each(60), each(25))}, nil, 1, RaiseDidNotHelp},
		{"a raise that did not help, long ago", p, few, []chapter{pods(1, 2*minute, each(60), each(25))}, func(in *Input) { in.Policy.RaiseMemory = minute }, 2, LagAboveTarget},
	} {
		t.Run(c.name, func(t *testing.T) {
			l, now := watched(c.policy, c.before...)
			d := restarted(t, c.policy, l, now.Add(30*time.Second), c.change, c.after...)
			if d.To != c.to || d.Reason != c.reason {
				t.Errorf("with %+v: got %d to %d, %s (%s), want %d, %s", l, d.From, d.To, d.Reason, d.Message, c.to, c.reason)
			}
		})
	}
}

// TestTheCapacityWakesAsManyPods checks that the capacity known from before a restart
// determines how many pods start.
func TestTheCapacityWakesAsManyPods(t *testing.T) {
	p := Policy{Max: 4}
	l, now := watched(p, pods(2, 2*minute, each(30), each(25)), pods(2, 2*minute, each(0), each(50)))
	if d := restarted(t, p, l, now, nil, pods(0, 2*minute, each(200), each(0))); d.To != 4 || d.Reason != NewRecords {
		t.Errorf("with %+v: got %d to %d, %s", l, d.From, d.To, d.Reason)
	}
}

// TestUselessCPUOutlivesARestart checks that a raise that did not help before a restart is
// not repeated after it.
func TestUselessCPUOutlivesARestart(t *testing.T) {
	p := Policy{Min: 1, Max: 4, Vertical: Vertical{Base: 1000, Max: 4000}}
	l, now := watched(p, slow(4, 1000, 2*minute), slow(4, 4000, 90*time.Second))
	d := restarted(t, p, l, now, nil, slow(4, 1000, 2*minute))
	if d.ToCPU != 1000 || d.Reason != AtCap {
		t.Errorf("with %+v: got %v to %v, %s (%s)", l, d.FromCPU, d.ToCPU, d.Reason, d.Message)
	}
}

// TestLearnedFiguresDoNotChangeWithTime checks that the status need not be written again
// while nothing happens.
func TestLearnedFiguresDoNotChangeWithTime(t *testing.T) {
	for name, c := range map[string]struct {
		p    Policy
		same chapter
	}{
		"a steady load": {Policy{Min: 1, Max: 4}, pods(4, 3*minute, each(10), each(10)).but(saturated(.1))},
		"a high load":   {Policy{Min: 0, Max: 4}, pods(2, 3*minute, each(45), each(45)).but(saturated(.9))},
		"no load":       {Policy{Min: 0, Max: 4}, pods(2, 3*minute, each(0), each(0))},
		"no pods":       {Policy{Min: 0, Max: 4}, pods(0, 3*minute, each(0), each(0))},
	} {
		first, _ := watched(c.p, c.same)
		again, _ := watched(c.p, c.same, c.same.but(func(ch *chapter) { ch.lasts = 20 * minute }))
		if !reflect.DeepEqual(first, again) {
			t.Errorf("%s: first %+v, then %+v", name, first, again)
		}
	}
}

func TestEnoughNow(t *testing.T) {
	at := func(minutes int) time.Time { return begin.Add(time.Duration(minutes) * minute) }
	var list []EnoughSince
	for _, step := range []struct {
		minute int
		needed int32
		want   []EnoughSince
	}{
		{0, 3, []EnoughSince{{3, at(0)}}},
		{1, 3, []EnoughSince{{3, at(0)}}},
		{2, 1, []EnoughSince{{1, at(2)}, {3, at(0)}}},
		{3, 2, []EnoughSince{{2, at(2)}, {3, at(0)}}},
		{4, 4, []EnoughSince{{4, at(0)}}},
		{5, 5, nil},
		{6, 1, []EnoughSince{{1, at(6)}}},
	} {
		list = enoughNow(list, step.needed, 5, at(step.minute))
		if !slices.Equal(list, step.want) {
			t.Errorf("minute %d, %d needed: got %v, want %v", step.minute, step.needed, list, step.want)
		}
	}
	for n := range int32(10) {
		list = enoughNow(list, 10-n, 20, at(10+int(n)))
	}
	if len(list) > keptEnough || list[0].Pods != 1 {
		t.Errorf("got %v, want at most %d entries, the first of 1 pod", list, keptEnough)
	}
}
