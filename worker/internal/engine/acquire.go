package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/internal/dispatch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/group"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// acquirer finds where the member reads newly assigned partitions on. Its methods run
// beside the feeder, but for prepare, which the feeder calls too. It touches nothing but
// the partition, which is still the caller's alone.
type acquirer struct {
	proc    *process
	log     logr.Logger
	group   *group.Member
	commits *committer
	feeder  *mailbox
	working context.Context
	exact   *transactions // nil if delivery is not ExactlyOnce
}

// acquire finds out where newly assigned partitions stand, marks them in the group as
// open, which says that they are being worked on, and hands them to the feeder.
// No partition waits for another: acquire tries again the ones whose offset or leader
// is not known yet, until they are acquired or lost.
func (a *acquirer) acquire(parts []*partition) {
	pause := backoff.Backoff{Initial: 100 * time.Millisecond, Max: 5 * time.Second}
	// A transaction that replaces an offset is mostly over within milliseconds.
	unstable := backoff.Backoff{Initial: 20 * time.Millisecond, Max: 400 * time.Millisecond}
	for {
		err := a.tryAcquire(parts)
		if parts = notAcquired(parts); len(parts) == 0 {
			return
		}
		next := &pause
		if errors.Is(err, group.ErrUnstable) {
			next = &unstable
		}
		wait := next.Next()
		if err != nil && (next == &pause || wait >= unstable.Max/2) {
			a.log.Info("could not acquire partitions; trying again", "partitions", idsOf(parts),
				"error", err.Error(), "wait", wait.Round(time.Millisecond).String())
		}
		if backoff.Sleep(a.working, wait) != nil {
			return
		}
	}
}

// notAcquired returns the partitions that are not acquired yet and not lost.
func notAcquired(parts []*partition) []*partition {
	var left []*partition
	for _, p := range parts {
		if !p.cancelled.Load() && !p.acquired() {
			left = append(left, p)
		}
	}
	return left
}

// acquired reports whether the group has the partition's first commit, which opens
// it.
func (p *partition) acquired() bool { return p.commit.committed.Load() >= 0 }

func idsOf(parts []*partition) []int32 {
	ids := make([]int32, 0, len(parts))
	for _, p := range parts {
		ids = append(ids, p.id)
	}
	return ids
}

// tryAcquire acquires as many of the partitions as it can now. The error says why it
// can't acquire the others.
func (a *acquirer) tryAcquire(parts []*partition) error {
	ctx, cancel := context.WithTimeout(a.working, 10*time.Second)
	defer cancel()
	committed, err := a.committed(ctx, parts)
	if err != nil {
		return err
	}
	topic, err := a.proc.clusters.input.TopicID(ctx, a.proc.cfg.Input.Topic)
	if err != nil {
		return err
	}
	var failed []error
	var known, rest []*partition
	for _, p := range parts {
		c := committed[p.id]
		switch {
		case p.tracker != nil: // since an earlier try
		case c.Err != nil:
			failed = append(failed, c.Err)
			continue
		case c.Offset >= 0:
			a.resume(p, c, topic)
		}
		if p.tracker == nil {
			rest = append(rest, p)
		} else {
			known = append(known, p)
		}
	}
	failed = append(failed, a.open(ctx, known))
	failed = append(failed, a.acquireByLeader(ctx, topic, rest))
	return errors.Join(failed...)
}

// committed returns the group's offsets. A dead owner may have a transaction open that
// holds up the offsets of partitions, or the readers of its output: it is ended first.
func (a *acquirer) committed(ctx context.Context, parts []*partition) (map[int32]group.Committed, error) {
	committed, err := a.group.Committed(ctx, idsOf(parts))
	if err != nil || a.exact == nil {
		return committed, err
	}
	var left []*partition
	for _, p := range parts {
		if !p.fenced && a.leftOpen(committed[p.id]) {
			p.fenced = true
			left = append(left, p)
		}
	}
	if len(left) == 0 {
		return committed, nil
	}
	a.exact.fence(ctx, left)
	return a.group.Committed(ctx, idsOf(parts))
}

// leftOpen reports whether the last owner of a partition, another process, may have a
// transaction open.
func (a *acquirer) leftOpen(c group.Committed) bool {
	if c.Err != nil {
		return errors.Is(c.Err, group.ErrUnstable)
	}
	state, err := offsets.Decode(c.Metadata, c.Offset)
	return err == nil && state.Open && state.Process != a.proc.life.process
}

// acquireByLeader acquires the partitions whose leader has to be asked for an
// offset. It asks all leaders at the same time, each once for all its partitions.
func (a *acquirer) acquireByLeader(ctx context.Context, topic kafka.TopicID, parts []*partition) error {
	if len(parts) == 0 {
		return nil
	}
	groups := make(map[int32][]*partition)
	var failed []error
	leaders := a.proc.clusters.input.LeadersOf(ctx, a.proc.cfg.Input.Topic, idsOf(parts))
	for _, p := range parts {
		if l := leaders[p.id]; l.Err != nil {
			failed = append(failed, l.Err)
		} else {
			groups[l.Broker] = append(groups[l.Broker], p)
		}
	}
	var mu sync.Mutex // guards failed
	var asked sync.WaitGroup
	for _, group := range groups {
		asked.Go(func() {
			placed, err := a.begin(ctx, topic, group)
			err = errors.Join(err, a.open(ctx, placed))
			mu.Lock()
			defer mu.Unlock()
			failed = append(failed, err)
		})
	}
	asked.Wait()
	return errors.Join(failed...)
}

// listOffsets asks for an offset of each partition and calls found with each that it
// gets. It returns the partitions with an offset, and the errors of the others.
func (a *acquirer) listOffsets(
	ctx context.Context, parts []*partition, at kafka.OffsetSpec, found func(p *partition, offset int64),
) (known []*partition, err error) {
	if len(parts) == 0 {
		return nil, nil
	}
	in := a.proc.cfg.Input
	var failed []error
	answers := a.proc.clusters.input.PartitionOffsets(ctx, in.Topic, idsOf(parts), at, in.IsolationLevel)
	for _, p := range parts {
		if answer := answers[p.id]; answer.Err != nil {
			failed = append(failed, answer.Err)
		} else {
			found(p, answer.Offset)
			known = append(known, p)
		}
	}
	return known, errors.Join(failed...)
}

// open makes the first commit of partitions, and hands the committed ones to the
// feeder.
func (a *acquirer) open(ctx context.Context, parts []*partition) error {
	if len(parts) == 0 {
		return nil
	}
	err := a.commits.commit(ctx, parts...)
	a.feeder.post(func(f *feeder) {
		for _, p := range parts {
			if p.acquired() {
				f.assignments.acquired(p)
			}
		}
	})
	return err
}

// resume sets up the state of a partition for which the group has committed an offset.
// The fetcher notices a commit of a former topic of the same name.
func (a *acquirer) resume(p *partition, committed group.Committed, topic kafka.TopicID) {
	state, err := offsets.Decode(committed.Metadata, committed.Offset)
	if err != nil {
		a.log.Info("ignoring the metadata of a committed offset; some records may be repeated",
			"partition", p.id, "offset", committed.Offset, "error", err.Error())
	}
	if state.Origin.TopicID == (kafka.TopicID{}) {
		state.Origin.TopicID = topic
	}
	if committed.LeaderEpoch >= 0 {
		p.epochs.add([]batch.EpochStart{{Offset: committed.Offset - 1, Epoch: committed.LeaderEpoch}}, 0)
	}
	a.prepare(p, committed.Offset, state)
}

// prepare sets up the state of a partition that is read from position on.
func (a *acquirer) prepare(p *partition, position int64, state offsets.State) {
	p.origin = state.Origin
	p.tracker = offsets.New(position, state)
	a.markOpen(p, position, state)
	if a.exact != nil {
		a.exact.condemned.apply(p, position)
	}
	switch a.proc.cfg.Ordering {
	case config.Key:
		p.lanes = dispatch.NewKeyLanes(keyLanes(a.proc.mostConcurrency()))
	case config.Partition:
		p.lanes = dispatch.NewPartitionLane()
	case config.Unordered:
	}
}

// keyLanes returns the number of lanes for a partition's keys: many more than
// goroutines, so that two busy keys seldom share one.
func keyLanes(goroutines int) int {
	n := 32
	for n < 16*goroutines && n < 1024 {
		n *= 2
	}
	return n
}

// markOpen makes the partition's commits name this owner, and sets which records are
// suspected after the last owner. Nothing may be dispatched before a commit is
// acknowledged.
func (a *acquirer) markOpen(p *partition, position int64, last offsets.State) {
	p.inherited = suspectOf(position, last, !a.proc.life.accounts(last.Process))
	if !p.inherited.any() {
		p.reach.margin.Store(minMargin)
	}
	mark := p.inherited.mark(false)
	p.tracker.Mark(func(marks *offsets.Marks) {
		marks.Open, marks.Process, marks.Reach, marks.Suspicion = true, a.proc.life.process, position, mark
	})
}
