package engine

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// logEndLookups asks the leaders where partitions' logs begin and end.
type logEndLookups struct {
	proc    *process
	log     logr.Logger
	feeder  *mailbox
	working context.Context

	ended atomic.Uint64 // requests
}

// logEnds holds where a partition's log begins and ends, and in which topic.
type logEnds struct {
	first, end int64 // the offsets of the first record and of the next one
	topic      kafka.TopicID
}

// find asks for the log's ends after a wait, until it gets them or the partition is
// given up. Then the feeder calls found.
func (l *logEndLookups) find(p *partition, wait time.Duration, found func(*feeder, logEnds)) {
	pause := backoff.Backoff{Initial: 100 * time.Millisecond, Max: 5 * time.Second}
	for backoff.Sleep(l.working, wait) == nil {
		ends, err := l.ask(p.id)
		l.ended.Add(1)
		if err == nil {
			l.feeder.post(func(f *feeder) { found(f, ends) })
			return
		}
		if p.cancelled.Load() {
			return
		}
		l.log.Info("could not look up where the log begins and ends; trying again",
			"topic", l.proc.cfg.Input.Topic, "partition", p.id, "error", err.Error())
		wait = pause.Next()
	}
}

// ask asks the partition's leader for its log's ends.
func (l *logEndLookups) ask(id int32) (ends logEnds, err error) {
	ctx, cancel := context.WithTimeout(l.working, 10*time.Second)
	defer cancel()
	topic := l.proc.cfg.Input.Topic
	// The log's end, not the end of the records that ReadCommitted may read.
	for at, offset := range map[kafka.OffsetSpec]*int64{kafka.Earliest: &ends.first, kafka.Latest: &ends.end} {
		answer := l.proc.clusters.input.PartitionOffsets(ctx, topic, []int32{id}, at, config.ReadUncommitted)[id]
		if answer.Err != nil {
			return ends, answer.Err
		}
		*offset = answer.Offset
	}
	ends.topic, err = l.proc.clusters.input.TopicID(ctx, topic)
	return ends, err
}
