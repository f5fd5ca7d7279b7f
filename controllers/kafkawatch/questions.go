package kafkawatch

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/kafka/admin"
)

// answerTimeout is how long brokers may take for one kind of request.
const answerTimeout = 10 * time.Second

// retryPauses are the pauses before the retries of a round. Leaders and coordinators move
// and connections are closed in normal operation.
var retryPauses = []time.Duration{100 * time.Millisecond, 400 * time.Millisecond, time.Second}

// answer is the result of one round about one target.
type answer struct {
	at         time.Time
	partitions []Partition // nil while the input topic is missing
	unknown    []int32     // sorted numbers of partitions without a known Start and End
	missing    []string
	err        error
}

// questions asks about all targets and returns the answers in their order. unknown lists
// the partitions of each target that were unknown before. If more are unknown now,
// questions asks again at once.
func (c *connections) questions(ctx context.Context, targets []*Target, unknown [][]int32) []answer {
	answers := make([]answer, len(targets))
	pending := make([]int, len(targets))
	for i := range pending {
		pending[i] = i
	}
	for attempt := 0; ; attempt++ {
		again := pending[:0:0]
		for j, a := range c.askOnce(ctx, pick(targets, pending)) {
			answers[pending[j]] = a
			if mayPass(a.err) || a.lost(unknown[pending[j]]) {
				again = append(again, pending[j])
			}
		}
		if len(again) == 0 || attempt == len(retryPauses) || !pause(ctx, retryPauses[attempt]) {
			return answers
		}
		pending = again
	}
}

func pick(targets []*Target, indexes []int) []*Target {
	some := make([]*Target, len(indexes))
	for i, index := range indexes {
		some[i] = targets[index]
	}
	return some
}

// lost reports whether a's unknown partitions include one that is not in unknown.
func (a *answer) lost(unknown []int32) bool {
	return slices.ContainsFunc(a.unknown, func(id int32) bool {
		_, before := slices.BinarySearch(unknown, id)
		return !before
	})
}

// mayPass reports whether the error may pass soon, so that a retry is worthwhile.
func mayPass(err error) bool {
	return err != nil && !kafka.Refused(err) &&
		!errors.Is(err, kafka.ErrUnreachable) && !errors.Is(err, context.DeadlineExceeded)
}

// pause waits for d, and reports false if ctx ends first.
func pause(ctx context.Context, d time.Duration) bool {
	select {
	case <-time.After(d):
		return true
	case <-ctx.Done():
		return false
	}
}

// round is one round of questions.
type round struct {
	admin   *admin.Admin
	timeout time.Duration
	targets []*Target
	answers []answer
}

func (c *connections) askOnce(ctx context.Context, targets []*Target) []answer {
	r := &round{admin: c.admin, timeout: c.w.timeout, targets: targets, answers: make([]answer, len(targets))}
	leaders := r.topics(ctx)
	// The committed offsets are read first, so that they are never beyond the end.
	r.committed(ctx, leaders)
	r.offsets(ctx, leaders)
	now := time.Now()
	for i := range r.answers {
		r.answers[i].at = now
	}
	return r.answers
}

// topics checks which topics exist, and returns the leaders of the input topics.
func (r *round) topics(ctx context.Context) map[string][]int32 {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	topics, err := r.admin.Topics(ctx, r.names())
	leaders := make(map[string][]int32, len(r.targets))
	for i, t := range r.targets {
		a := &r.answers[i]
		if a.err = err; err != nil {
			continue
		}
		for _, name := range append([]string{t.Topic}, t.Outputs...) {
			a.noteTopic(name, topics[name].Err)
		}
		if info := topics[t.Topic]; info.Err == nil {
			leaders[t.Topic] = info.Leaders
			a.partitions = make([]Partition, len(info.Leaders))
		}
	}
	return leaders
}

func (a *answer) noteTopic(topic string, err error) {
	switch {
	case errors.Is(err, kafka.ErrTopicNotFound):
		a.missing = append(a.missing, topic)
	case err != nil && a.err == nil:
		a.err = err
	}
}

// names returns the names of all topics, each once.
func (r *round) names() []string {
	seen := make(map[string]bool, len(r.targets))
	var names []string
	for _, t := range r.targets {
		for _, name := range append([]string{t.Topic}, t.Outputs...) {
			if !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
	}
	return names
}

// answerable yields the targets whose partitions are known and for which no request has
// failed, so that a round waits for a broker that hangs only once.
func (r *round) answerable(yield func(*Target, *answer) bool) {
	for i, t := range r.targets {
		if a := &r.answers[i]; a.err == nil && a.partitions != nil && !yield(t, a) {
			return
		}
	}
}

func (r *round) committed(ctx context.Context, leaders map[string][]int32) {
	asked := make(map[admin.GroupTopic]int32, len(r.targets))
	for t := range r.answerable {
		asked[admin.GroupTopic{Group: t.GroupID, Topic: t.Topic}] = int32(len(leaders[t.Topic]))
	}
	if len(asked) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	committed := r.admin.CommittedOffsets(ctx, asked)
	for t, a := range r.answerable {
		found := committed[admin.GroupTopic{Group: t.GroupID, Topic: t.Topic}]
		a.fill(found, func(p *Partition, offset int64) { p.Committed = offset })
	}
}

// offsets asks for the start and the end of the partitions.
func (r *round) offsets(ctx context.Context, leaders map[string][]int32) {
	every := func(*Target) bool { return true }
	r.list(ctx, leaders, every, kafka.Earliest, "", func(p *Partition, offset int64) { p.Start = offset })
	for _, isolation := range []config.IsolationLevel{config.ReadUncommitted, config.ReadCommitted} {
		with := func(t *Target) bool {
			return (t.Isolation == config.ReadCommitted) == (isolation == config.ReadCommitted)
		}
		r.list(ctx, leaders, with, kafka.Latest, isolation, func(p *Partition, offset int64) { p.End = offset })
	}
}

func (r *round) list(
	ctx context.Context, leaders map[string][]int32, concerns func(*Target) bool,
	spec kafka.OffsetSpec, isolation config.IsolationLevel, set func(*Partition, int64),
) {
	asked := make(map[string][]int32, len(leaders))
	for t := range r.answerable {
		if concerns(t) {
			asked[t.Topic] = leaders[t.Topic]
		}
	}
	if len(asked) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	found := r.admin.ListOffsets(ctx, asked, spec, isolation)
	for t, a := range r.answerable {
		if concerns(t) {
			a.fillKnown(found[t.Topic], set)
		}
	}
}

// fill sets one offset of each partition.
func (a *answer) fill(found admin.TopicOffsets, set func(*Partition, int64)) {
	if found.Err != nil {
		a.err = found.Err
		return
	}
	for i := range a.partitions {
		set(&a.partitions[i], found.Offsets[i])
	}
}

// fillKnown is like fill, but partitions whose leader does not answer do not hide the
// others.
func (a *answer) fillKnown(found admin.TopicOffsets, set func(*Partition, int64)) {
	known := func(offset int64) bool { return offset >= 0 }
	if found.Err != nil && (!slices.ContainsFunc(found.Offsets, known) || kafka.Refused(found.Err)) {
		a.err = found.Err
		return
	}
	for i := range a.partitions {
		if known(found.Offsets[i]) {
			set(&a.partitions[i], found.Offsets[i])
		} else {
			a.unknown = append(a.unknown, int32(i))
		}
	}
	slices.Sort(a.unknown)
	a.unknown = slices.Compact(a.unknown) // both the start and the end may be unknown
}
