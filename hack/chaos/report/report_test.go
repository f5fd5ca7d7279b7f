package report

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/check"
	"github.com/millrace-dev/millrace/hack/chaos/drive"
	"github.com/millrace-dev/millrace/hack/chaos/subject"
	"github.com/millrace-dev/millrace/worker/config"
)

func results() []drive.Result {
	gaps := func(all ...time.Duration) check.Gaps {
		var g check.Gaps
		g.Add(check.Gaps{All: all})
		return g
	}
	episode := drive.Result{
		Length: time.Minute,
		Events: []check.Event{{Kind: "kill -9", Alone: true}, {Kind: "kill -9"}, {Kind: "broker kill"}},
		Failed: map[string]int{"broker kill": 2},
		Verdict: check.Verdict{
			Figures: check.Figures{Records: 1000, Duplicates: 3},
			Causes:  []check.Cause{{Kind: "kill -9", Faults: 1, Duplicates: 3, Most: 3, Bound: 10}},
			Stalls:  []check.Stall{{Kind: "kill -9", Alone: true, Faults: 1, Moved: gaps(time.Second, 2*time.Second, 3*time.Second)}},
		},
		Side: &check.Verdict{Figures: check.Figures{Records: 10}},
	}
	return []drive.Result{episode, episode}
}

func run() Run {
	o := drive.Options{Seed: 7, Program: subject.Millrace, Delivery: config.AtLeastOnce, Duration: 2 * time.Minute}
	return New(o, "the command", time.UnixMilli(0), results(), nil)
}

func TestTotal(t *testing.T) {
	r := run()
	if n := r.Total.Count(); n != 6 || r.Failed() || r.Cut {
		t.Errorf("%d faults, failed %v, cut %v", n, r.Failed(), r.Cut)
	}
	if got, want := r.Total.Faults[0], (Kind{Name: "kill -9", Alone: 2, Overlapping: 2}); got != want {
		t.Errorf("the first kind is %+v, want %+v", got, want)
	}
	if f := r.Total.Figures; f.Records != 2020 || f.Duplicates != 6 {
		t.Errorf("the figures are %+v", f)
	}
	if got, want := r.Total.Causes[0], (check.Cause{Kind: "kill -9", Faults: 2, Duplicates: 6, Most: 3, Bound: 20}); got != want {
		t.Errorf("the cause is %+v, want %+v", got, want)
	}
	if g := r.Total.Stalls[0].Moved; g.Partitions != 6 || g.Median != 2*time.Second || g.Longest != 3*time.Second {
		t.Errorf("the gaps are %+v", g)
	}
}

func TestMarkdown(t *testing.T) {
	good, bad := run(), run()
	bad.Total.Violations.Add(check.Violations{check.Lost: {Count: 4, First: []check.Violation{{Detail: "record 5 | partition 1"}}}})
	for name, c := range map[string]struct {
		run  Run
		want []string
	}{
		"good": {good, []string{"No rule was broken", "Seed 7", "the command", "| kill -9 | 2 | 2 | 0 |", "| kill -9 | 2 | 2s, 3s (6) | - | 0 |", "What we found"}},
		"bad":  {bad, []string{"Rules were broken", `| lost | 4 | record 5 \| partition 1 |`}},
	} {
		text := Markdown([]Run{c.run}, "## What we found")
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("%s: the report lacks %q:\n%s", name, want, text)
			}
		}
	}
	if err := good.Err(); err != nil {
		t.Errorf("a run without violations failed: %v", err)
	}
	bad.Error = "no broker"
	for _, want := range []string{"seed 7", "no broker", "lost, 4 times, at first: record 5 | partition 1"} {
		if err := bad.Err(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error of a run with violations is %v, without %q", err, want)
		}
	}
}

func TestRunsOfOtherProgramsStay(t *testing.T) {
	dir := t.TempDir()
	markdown, file := filepath.Join(dir, "r.md"), filepath.Join(dir, "r.json")
	first := run()
	second := run()
	second.Delivery = config.ExactlyOnce
	if err := Write([]Run{first, second}, "", markdown, file); err != nil {
		t.Fatal(err)
	}
	runs, err := Read(file)
	if err != nil || len(runs) != 2 {
		t.Fatalf("%d runs, %v", len(runs), err)
	}
	again := run()
	again.Seed = 8
	runs = Replace(runs, again)
	if len(runs) != 2 || runs[0].Seed != 8 || runs[1].Seed != 7 {
		t.Errorf("the runs are of seeds %d and %d", runs[0].Seed, runs[1].Seed)
	}
}
