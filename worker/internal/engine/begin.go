package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// With startOffset Latest only the partitions that the group finds at its very
// first start begin at their end. A partition that is added later begins at its
// first record: its records are all younger than the group's first start.
//
// Several members start at the same time, so "the group has committed something"
// does not say that the first start is over. Each commit therefore holds how many
// partitions there were at the first start, and when that was. A member that finds no
// commit at all makes this note, and one that finds a commit goes by its note.

// begin sets up partitions that the group has committed nothing of. It returns
// those that it found a start for.
func (a *acquirer) begin(ctx context.Context, topic kafka.TopicID, parts []*partition) ([]*partition, error) {
	if len(parts) == 0 {
		return nil, nil
	}
	var origin offsets.Origin
	first := false
	if a.proc.cfg.Input.StartOffset == config.Latest {
		var err error
		if origin, first, err = a.groupOrigin(ctx, topic); err != nil {
			return nil, err
		}
	}
	origin.TopicID = topic
	var atStart, atEnd, later []*partition
	for _, p := range parts {
		switch {
		case p.id >= origin.FirstPartitions:
			atStart = append(atStart, p)
		case first:
			atEnd = append(atEnd, p)
		default:
			later = append(later, p)
		}
	}
	start := func(p *partition, offset int64) { a.prepare(p, offset, offsets.State{Origin: origin}) }
	begun, startErr := a.listOffsets(ctx, atStart, kafka.Earliest, start)
	// A partition that could not be acquired at the first start is read from the
	// time of the first start, so it misses nothing.
	var ended []*partition
	since, sinceErr := a.listOffsets(ctx, later, kafka.OffsetSpec(origin.FirstStart), func(p *partition, offset int64) {
		if offset < 0 { // nothing was written since
			ended = append(ended, p)
			return
		}
		start(p, offset)
	})
	for _, p := range since {
		if p.tracker != nil {
			begun = append(begun, p)
		}
	}
	atLatest, endErr := a.listOffsets(ctx, append(atEnd, ended...), kafka.Latest, start)
	return append(begun, atLatest...), errors.Join(startErr, sinceErr, endErr)
}

// groupOrigin returns the note on the group's first start that its commits hold.
// first reports whether this is the first start.
//
// A commit of a former topic of the same name shows that the group has started before,
// and does not show where partitions of the present topic begin.
func (a *acquirer) groupOrigin(ctx context.Context, topic kafka.TopicID) (origin offsets.Origin, first bool, err error) {
	count, err := a.proc.clusters.input.Partitions(ctx, a.proc.cfg.Input.Topic)
	if err != nil {
		return origin, false, err
	}
	all := make([]int32, count)
	for i := range all {
		all[i] = int32(i)
	}
	committed, err := a.group.Committed(ctx, all)
	if err != nil {
		return origin, false, err
	}
	first = true
	var unknown error
	for _, c := range committed {
		if c.Err != nil {
			unknown = c.Err
		}
		if c.Offset < 0 {
			continue
		}
		first = false
		// Damaged metadata says nothing, and is reported to its partition.
		state, _ := offsets.Decode(c.Metadata, c.Offset)
		if o := state.Origin; o.FirstPartitions > 0 && o.TopicID == topic && (origin.FirstPartitions == 0 || o.FirstStart < origin.FirstStart) {
			origin = o
		}
	}
	switch {
	case first && unknown != nil:
		return origin, false, fmt.Errorf("it is not known yet whether the group has started before: %w", unknown)
	case first:
		origin = offsets.Origin{FirstPartitions: count, FirstStart: time.Now().UnixMilli()}
	}
	return origin, first, nil
}
