package main

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
)

// An embedded broker keeps its records in memory. To take any number of them, a run deletes
// those that are settled or collected, and the feeder waits while too many are not settled.

const (
	// tidyInterval is how often settled records are deleted.
	tidyInterval = time.Second
	// mostUnsettled bounds the bytes of the records that are fed and not settled.
	mostUnsettled = 256 << 20
	// segmentBytes is how much of a partition an embedded broker frees at once.
	segmentBytes = 4 << 20
	// feedPause is how long the feeder waits before it looks again.
	feedPause = 20 * time.Millisecond
)

// tidy deletes the records of the input topic below the committed offsets: a member that
// takes over a partition reads from there on.
func (s *session) tidy(now time.Time) {
	broker := s.clusters.input.embedded
	if broker == nil || now.Sub(s.tidied) < tidyInterval {
		return
	}
	s.tidied = now
	for partition, offset := range s.last.committed {
		deleteBelow(broker, s.cfg.Input.Topic, partition, offset)
	}
}

// deleteBelow deletes a partition's records below an offset.
func deleteBelow(broker *kfake.Cluster, topic string, partition int32, offset int64) {
	if offset > 0 {
		_ = broker.DeleteRecords(topic, partition, offset) // fails where they are deleted already
	}
}

// pace bounds the bytes of the records that are fed and not settled.
type pace struct {
	most int64 // 0 is no bound
	// settled returns how many records are settled.
	settled func() int64

	records, bytes int64 // fed so far
}

// add counts a record.
func (p *pace) add(size int) {
	p.records++
	p.bytes += int64(size)
}

// wait waits until so many records are settled that another one may be fed.
func (p *pace) wait(ctx context.Context) error {
	for p.most > 0 && p.unsettled() > p.most {
		select {
		case <-time.After(feedPause):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// unsettled estimates the bytes of the records that are not settled: all records count as
// large as their mean.
func (p *pace) unsettled() int64 {
	left := p.records - p.settled()
	return int64(float64(p.bytes) / float64(max(p.records, 1)) * float64(left))
}
