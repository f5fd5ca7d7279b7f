package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/dispatch"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/offsets"
)

// acquire reads where newly assigned partitions stand, marks them in the group
// as open, that is, as being worked on, and hands them to the feeder. It runs beside the feeder
// and tries until it succeeds or the partitions are lost.
func (m *member) acquire(parts []*partition) {
	for wait := 100 * time.Millisecond; ; wait = min(2*wait, 5*time.Second) {
		err := m.tryAcquire(parts)
		if err == nil {
			break
		}
		if parts = stillWanted(parts); len(parts) == 0 {
			return
		}
		m.log.Info("could not read the committed offsets; trying again", "error", err.Error(), "wait", wait.String())
		select {
		case <-m.hard.Done():
			return
		case <-time.After(wait):
		}
	}
	m.post(func() {
		for _, p := range parts {
			m.acquired(p)
		}
	})
}

func stillWanted(parts []*partition) []*partition {
	var wanted []*partition
	for _, p := range parts {
		if !p.cancelled.Load() {
			wanted = append(wanted, p)
		}
	}
	return wanted
}

func (m *member) tryAcquire(parts []*partition) error {
	ctx, cancel := context.WithTimeout(m.hard, 10*time.Second)
	defer cancel()
	ids := make([]int32, 0, len(parts))
	for _, p := range parts {
		ids = append(ids, p.id)
	}
	committed, err := m.group.Committed(ctx, ids)
	if err != nil {
		return err
	}
	starts, err := m.startOffsets(ctx, committed)
	if err != nil {
		return err
	}
	for _, p := range parts {
		if p.tracker == nil {
			m.prepare(p, committed[p.id], starts[p.id])
		}
	}
	if err := m.limitSuspects(ctx, parts); err != nil {
		return err
	}
	for _, p := range parts {
		p.tracker.SetOpen(!p.suspect.any())
		p.tracker.SetAttempting(p.suspect.attempting())
	}
	return m.commit(ctx, parts...)
}

// limitSuspects ends the suspicion at the end of the log as it is now.
func (m *member) limitSuspects(ctx context.Context, parts []*partition) error {
	var ids []int32
	for _, p := range parts {
		if p.suspect.any() {
			ids = append(ids, p.id)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	ends, err := m.e.client.ListOffsets(ctx, m.e.cfg.Input.Topic, ids, kafka.Latest, m.e.cfg.Input.IsolationLevel)
	if err != nil {
		return fmt.Errorf("end offsets: %w", err)
	}
	for _, p := range parts {
		if end, ok := ends[p.id]; ok {
			p.suspect.limit(end)
		}
	}
	return nil
}

// startOffsets asks where the partitions without a committed offset begin.
func (m *member) startOffsets(ctx context.Context, committed map[int32]kafka.Committed) (map[int32]int64, error) {
	var fresh []int32
	for id, c := range committed {
		if c.Offset < 0 {
			fresh = append(fresh, id)
		}
	}
	if len(fresh) == 0 {
		return nil, nil
	}
	return m.listStart(ctx, fresh)
}

func (m *member) listStart(ctx context.Context, ids []int32) (map[int32]int64, error) {
	in := m.e.cfg.Input
	at := kafka.Earliest
	if in.StartOffset == config.Latest {
		at = kafka.Latest
	}
	starts, err := m.e.client.ListOffsets(ctx, in.Topic, ids, at, in.IsolationLevel)
	if err != nil {
		return nil, fmt.Errorf("start offsets: %w", err)
	}
	return starts, nil
}

// prepare sets up the partition's state from what was committed.
func (m *member) prepare(p *partition, committed kafka.Committed, start int64) {
	position, state := start, offsets.State{}
	if committed.Offset >= 0 {
		position = committed.Offset
		var err error
		if state, err = offsets.Decode(committed.Metadata, position); err != nil {
			m.log.Info("ignoring the metadata of a committed offset; some records may be repeated",
				"partition", p.id, "offset", position, "error", err.Error())
		}
	}
	p.suspect = suspectOf(position, state)
	p.tracker = offsets.New(position, state)
	switch m.e.cfg.Ordering {
	case config.Key:
		p.lanes = dispatch.NewKeyLanes(keyLanes(m.e.concurrency()))
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
		m.e.recover.add(p)
		m.log.Info("the partition's last owner ended without closing it; looking for a record that crashes the worker",
			"partition", p.id, "from", p.suspect.first, "to", p.suspect.next, "crashes", p.suspect.crashes)
	}
	if p.revoked || m.stopping {
		m.drain(p)
		return
	}
	p.epoch = m.fetcher.Start(p.id, p.tracker.Position())
}
