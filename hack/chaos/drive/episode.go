package drive

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/check"
	"github.com/millrace-dev/millrace/hack/chaos/schedule"
	"github.com/millrace-dev/millrace/hack/chaos/subject"
)

// Result is what an episode has shown.
type Result struct {
	Settings Settings       `json:"settings"`
	Length   time.Duration  `json:"length"`
	Events   []check.Event  `json:"faults"`
	Failed   map[string]int `json:"notPossible,omitempty"`
	Lives    []check.Life   `json:"processes"`
	Verdict  check.Verdict  `json:"verdict"`
	// Side is about the second StreamProcessor.
	Side   *check.Verdict `json:"side,omitempty"`
	Memory int64          `json:"memoryBytes"`
	// Starved are the times in which other programs kept the machine busy.
	Starved []check.Span `json:"starved,omitempty"`
}

// broken reports whether the episode broke rules.
func (r *Result) broken() bool {
	return len(r.Verdict.Violations) > 0 || r.Side != nil && len(r.Side.Violations) > 0
}

// outcome says in a line whether the episode broke rules, and which.
func (r *Result) outcome() string {
	if !r.broken() {
		return "no rule is broken"
	}
	violations := check.Violations{}
	violations.Add(r.Verdict.Violations)
	if r.Side != nil {
		violations.Add(r.Side.Violations)
	}
	var lines []string
	for _, rule := range slices.Sorted(maps.Keys(violations)) {
		lines = append(lines, fmt.Sprintf("%s: %s", rule, violations[rule].First[0].Detail))
	}
	return strings.Join(lines, "\n  ")
}

// play runs an episode to its end, or ends it early when ctx ends. It returns an error if
// the episode could not be carried out; the result has all findings of the checkers.
func (s *stage) play(ctx context.Context) (Result, error) {
	begun := time.Now()
	s.journal.log("episode %d: %s", s.episode.number+1, s.episode.settings)
	if err := s.main.start(s.episode.settings.Workers); err != nil {
		return Result{}, err
	}
	if s.side != nil {
		if err := s.side.start(1); err != nil {
			return Result{}, err
		}
	}
	watching, stopWatching := context.WithCancel(context.Background())
	starved := &starvation{journal: s.journal}
	memory := &memory{pods: s.main.all, checker: s.main.checker, told: map[string]bool{}}
	go s.progress(watching)
	go starved.run(watching)
	go starved.watchNeighbours(watching)
	go memory.run(watching)
	x := s.executor()
	steps := s.steps(x)
	x.oneAtATime(ctx, s.episode)
	end := begun.Add(s.episode.length)
	x.run(ctx, begun, end, after(time.Since(begun), steps))
	_ = wait(ctx, time.Until(end))
	s.journal.log("the faults are over")
	length := time.Since(begun)
	losses := s.finish(ctx)
	stopWatching()

	events, failed := s.journal.all()
	result := Result{
		Settings: s.episode.settings, Length: length, Events: events, Failed: failed,
		Lives: s.main.all.history(), Memory: memory.highest(), Starved: starved.spans(),
	}
	history := check.History{Events: events, Lives: result.Lives, Bounds: boundsTimes(max(s.options.Leniency, 1)), Starved: result.Starved}
	result.Verdict = s.main.checker.Finish(history)
	if s.side != nil {
		s.side.compareLosses(losses)
		history.Lives, history.Bounds = s.side.all.history(), nil
		verdict := s.side.checker.Finish(history)
		result.Side, result.Lives = &verdict, slices.Concat(result.Lives, history.Lives)
	}
	return result, nil
}

// finish ends both StreamProcessors. It returns the losses that the side's worker reports.
func (s *stage) finish(ctx context.Context) (losses map[int32]int64) {
	var ends sync.WaitGroup
	ends.Go(func() { s.main.finish(ctx, nil) })
	if s.side != nil {
		ends.Go(func() { s.side.finish(ctx, func() { losses = s.side.reportedLosses() }) })
	}
	ends.Wait()
	return losses
}

// executor returns the executor of all faults.
func (s *stage) executor() *executor {
	topics := &topicFaults{cluster: s.cluster, names: s.main.names, generator: s.main.generator, checker: s.main.checker}
	all := slices.Concat(s.main.all.faults(), topics.faults(), s.kafkaFaults())
	if s.options.Program == subject.Millrace {
		all = slices.Concat(all, recordFaults(s.main.generator, s.main.checker), s.side.faults())
	}
	faults := map[string]fault{}
	for _, f := range all {
		faults[f.Name] = f
	}
	return &executor{faults: faults, order: all, journal: s.journal, checker: s.main.checker}
}

// steps returns the schedule of faults that overlap.
func (s *stage) steps(x *executor) []schedule.Step {
	var kinds []schedule.Kind
	for _, f := range x.order {
		kinds = append(kinds, f.Kind)
	}
	return schedule.Make(s.episode.pick, kinds, s.episode.length/aloneShare, s.episode.length)
}

// after leaves out the steps before a time, which the faults alone have taken.
func after(at time.Duration, steps []schedule.Step) []schedule.Step {
	return slices.DeleteFunc(steps, func(s schedule.Step) bool { return s.At < at })
}
