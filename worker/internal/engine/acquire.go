package engine

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/internal/dispatch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// acquire reads where newly assigned partitions stand, marks them in the group as
// open, which says that they are being worked on, and hands them to the feeder.
// It runs beside the feeder. Each partition is acquired by itself: one whose
// offset or leader is not known yet is tried again until it is acquired or lost,
// and no other waits for it.
func (m *member) acquire(parts []*partition) {
	pause := backoff.Backoff{Initial: 100 * time.Millisecond, Max: 5 * time.Second}
	for {
		err := m.tryAcquire(parts)
		if parts = stillWanted(parts); len(parts) == 0 {
			return
		}
		wait := pause.Next()
		if err != nil {
			m.log.Info("could not acquire partitions; trying again", "partitions", idsOf(parts),
				"error", err.Error(), "wait", wait.Round(time.Millisecond).String())
		}
		if backoff.Sleep(m.hard, wait) != nil {
			return
		}
	}
}

// stillWanted returns the partitions that are not acquired yet and not lost.
func stillWanted(parts []*partition) []*partition {
	var wanted []*partition
	for _, p := range parts {
		if !p.cancelled.Load() && !p.acquired() {
			wanted = append(wanted, p)
		}
	}
	return wanted
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

// tryAcquire acquires what can be acquired now, and returns why the rest can't.
func (m *member) tryAcquire(parts []*partition) error {
	ctx, cancel := context.WithTimeout(m.hard, 10*time.Second)
	defer cancel()
	committed, err := m.group.Committed(ctx, idsOf(parts))
	if err != nil {
		return err
	}
	topic, err := m.e.client.TopicID(ctx, m.e.cfg.Input.Topic)
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
			m.resume(p, c, topic)
		}
		if p.tracker == nil {
			rest = append(rest, p)
		} else {
			known = append(known, p)
		}
	}
	failed = append(failed, m.open(ctx, known))
	failed = append(failed, m.acquireByLeader(ctx, topic, rest))
	return errors.Join(failed...)
}

// acquireByLeader acquires the partitions whose leader has to be asked for an
// offset. It asks all leaders at the same time, each once for all its partitions.
func (m *member) acquireByLeader(ctx context.Context, topic kafka.TopicID, parts []*partition) error {
	if len(parts) == 0 {
		return nil
	}
	groups := make(map[int32][]*partition)
	var failed []error
	leaders := m.e.client.LeadersOf(ctx, m.e.cfg.Input.Topic, idsOf(parts))
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
			placed, err := m.begin(ctx, topic, group)
			err = errors.Join(err, m.open(ctx, placed))
			mu.Lock()
			defer mu.Unlock()
			failed = append(failed, err)
		})
	}
	asked.Wait()
	return errors.Join(failed...)
}

// listOffsets asks for an offset of each partition and calls take with those that
// it gets. It returns the partitions that it got an offset of, and the errors of the
// others.
func (m *member) listOffsets(
	ctx context.Context, parts []*partition, at kafka.OffsetSpec, take func(p *partition, offset int64),
) (found []*partition, err error) {
	if len(parts) == 0 {
		return nil, nil
	}
	in := m.e.cfg.Input
	var failed []error
	answers := m.e.client.PartitionOffsets(ctx, in.Topic, idsOf(parts), at, in.IsolationLevel)
	for _, p := range parts {
		if answer := answers[p.id]; answer.Err != nil {
			failed = append(failed, answer.Err)
		} else {
			take(p, answer.Offset)
			found = append(found, p)
		}
	}
	return found, errors.Join(failed...)
}

// open makes the first commit of partitions, and hands those to the feeder that
// could be committed.
func (m *member) open(ctx context.Context, parts []*partition) error {
	if len(parts) == 0 {
		return nil
	}
	err := m.commit(ctx, parts...)
	m.post(func() {
		for _, p := range parts {
			if p.acquired() {
				m.acquired(p)
			}
		}
	})
	return err
}

// resume sets up the state of a partition that the group has committed an offset
// of. A commit of a former topic of that name is for the fetcher to notice.
func (m *member) resume(p *partition, committed kafka.Committed, topic kafka.TopicID) {
	state, err := offsets.Decode(committed.Metadata, committed.Offset)
	if err != nil {
		m.log.Info("ignoring the metadata of a committed offset; some records may be repeated",
			"partition", p.id, "offset", committed.Offset, "error", err.Error())
	}
	if state.Origin.TopicID == (kafka.TopicID{}) {
		state.Origin.TopicID = topic
	}
	if committed.LeaderEpoch >= 0 {
		p.epochs.add([]batch.EpochStart{{Offset: committed.Offset - 1, Epoch: committed.LeaderEpoch}}, 0)
	}
	m.prepare(p, committed.Offset, state)
}

// prepare sets up the state of a partition that is read from position on.
func (m *member) prepare(p *partition, position int64, state offsets.State) {
	p.origin = state.Origin
	p.tracker = offsets.New(position, state)
	m.markOpen(p, position, state)
	switch m.e.cfg.Ordering {
	case config.Key:
		p.lanes = dispatch.NewKeyLanes(keyLanes(m.e.mostConcurrency()))
	case config.Partition:
		p.lanes = dispatch.NewPartitionLane()
	case config.Unordered:
	}
}

// keyLanes is how many lanes a partition's keys are spread over: many more
// than goroutines, so that two busy keys seldom share one.
func keyLanes(goroutines int) int {
	n := 32
	for n < 16*goroutines && n < 1024 {
		n *= 2
	}
	return n
}

// acquired begins to read a partition.
func (m *member) acquired(p *partition) {
	if m.parts[p.id] != p || !p.is(acquiring) {
		return
	}
	p.to(active)
	if p.suspect.any() {
		p.to(careful)
		m.logSuspect(p)
	}
	if p.revoked || m.stopping {
		m.drain(p)
		return
	}
	p.epoch = m.fetcher.StartAt(p.id, p.at(p.tracker.Position()))
}
