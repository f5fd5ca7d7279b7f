package report

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/check"
	"github.com/millrace-dev/millrace/hack/chaos/drive"
	"github.com/millrace-dev/millrace/hack/chaos/subject"
	"github.com/millrace-dev/millrace/worker/config"
)

// Run is the report of one run.
type Run struct {
	Seed     uint64          `json:"seed"`
	Command  string          `json:"command"`
	Program  subject.Name    `json:"subject"`
	Delivery config.Delivery `json:"delivery"`
	Rate     int             `json:"recordsPerSecond"`
	Begun    time.Time       `json:"begun"`
	// Length is the time in which faults happened.
	Length time.Duration `json:"length"`
	// Cut says that the run ended before its time.
	Cut      bool           `json:"cut,omitempty"`
	Error    string         `json:"error,omitempty"`
	Episodes []drive.Result `json:"episodes"`
	Total    Total          `json:"total"`
}

// Total sums up the episodes.
type Total struct {
	Figures    check.Figures    `json:"figures"`
	Faults     []Kind           `json:"faultsByKind"`
	Causes     []check.Cause    `json:"duplicatesByCause"`
	Stalls     []check.Stall    `json:"stalls"`
	Violations check.Violations `json:"violations"`
	Processes  int              `json:"processes"`
	Memory     int64            `json:"memoryBytes"`
	// Starved is for how long other programs kept the machine busy.
	Starved time.Duration `json:"starved"`
}

// Kind counts the faults of a kind.
type Kind struct {
	Name        string `json:"name"`
	Alone       int    `json:"alone"`
	Overlapping int    `json:"overlapping"`
	NotPossible int    `json:"notPossible,omitempty"`
}

// New returns the report of a run.
func New(o drive.Options, command string, begun time.Time, results []drive.Result, err error) Run {
	r := Run{
		Seed: o.Seed, Command: command, Program: o.Program, Delivery: o.Delivery, Rate: o.Rate, Begun: begun.UTC(), Episodes: results,
	}
	if err != nil {
		r.Error = err.Error()
	}
	for i := range results {
		r.Length += results[i].Length
	}
	r.Cut = r.Length < o.Duration
	r.Total = sum(results)
	return r
}

// Failed reports whether the run broke rules, or did not work.
func (r *Run) Failed() bool { return r.Error != "" || len(r.Total.Violations) > 0 }

// Err returns an error with the broken rules, each with its first evidence, or nil if the
// run has not failed.
func (r *Run) Err() error {
	if !r.Failed() {
		return nil
	}
	lines := []string{fmt.Sprintf("the run with seed %d failed:", r.Seed)}
	if r.Error != "" {
		lines = append(lines, "  it did not work: "+r.Error)
	}
	for _, rule := range slices.Sorted(maps.Keys(r.Total.Violations)) {
		b := r.Total.Violations[rule]
		lines = append(lines, fmt.Sprintf("  %s, %d times, at first: %s", rule, b.Count, b.First[0].Detail))
	}
	return errors.New(strings.Join(lines, "\n"))
}

// Count returns the number of faults.
func (t *Total) Count() (n int) {
	for _, k := range t.Faults {
		n += k.Alone + k.Overlapping
	}
	return n
}

func sum(results []drive.Result) Total {
	t := Total{Violations: check.Violations{}}
	kinds := map[string]*Kind{}
	kind := func(name string) *Kind {
		if kinds[name] == nil {
			kinds[name] = &Kind{Name: name}
		}
		return kinds[name]
	}
	for i := range results {
		r := &results[i]
		for _, e := range r.Events {
			if e.Alone {
				kind(e.Kind).Alone++
			} else {
				kind(e.Kind).Overlapping++
			}
		}
		for name, n := range r.Failed {
			kind(name).NotPossible += n
		}
		t.Figures.Add(r.Verdict.Figures)
		t.Violations.Add(r.Verdict.Violations)
		if r.Side != nil {
			t.Figures.Add(r.Side.Figures)
			t.Violations.Add(r.Side.Violations)
			t.Causes = check.AddCauses(t.Causes, r.Side.Causes)
		}
		t.Processes += len(r.Lives)
		t.Memory = max(t.Memory, r.Memory)
		t.Starved += check.Length(r.Starved)
		t.Causes = check.AddCauses(t.Causes, r.Verdict.Causes)
		t.Stalls = check.AddStalls(t.Stalls, r.Verdict.Stalls)
	}
	for _, name := range slices.Sorted(maps.Keys(kinds)) {
		t.Faults = append(t.Faults, *kinds[name])
	}
	slices.SortStableFunc(t.Faults, func(a, b Kind) int {
		return cmp.Compare(b.Alone+b.Overlapping, a.Alone+a.Overlapping)
	})
	return t
}

// Write writes runs as Markdown and as JSON. found is a text about what the runs have
// found, which somebody has written.
func Write(runs []Run, found, markdown, jsonFile string) error {
	if err := os.WriteFile(markdown, []byte(Markdown(runs, found)), 0o600); err != nil {
		return err
	}
	encoded, err := json.MarshalIndent(runs, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(jsonFile, append(encoded, '\n'), 0o600)
}

// Read reads the runs of a JSON file that Write wrote.
func Read(jsonFile string) (runs []Run, err error) {
	text, err := os.ReadFile(jsonFile)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(text, &runs); err != nil {
		return nil, fmt.Errorf("%s: %w", jsonFile, err)
	}
	return runs, nil
}

// Replace returns runs with r in the place of the one of the same program and delivery,
// or after them.
func Replace(runs []Run, r Run) []Run {
	i := slices.IndexFunc(runs, func(other Run) bool { return other.Program == r.Program && other.Delivery == r.Delivery })
	if i < 0 {
		return append(runs, r)
	}
	runs = slices.Clone(runs)
	runs[i] = r
	return runs
}
