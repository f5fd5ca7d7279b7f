package engine

import (
	"context"
	"fmt"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// outOfRange handles an offset that the log does not have. Retention may have
// overtaken the partition, or the log may have become shorter: only the log's present
// ends show which. What was fetched before that offset is valid and stays.
func (m *member) outOfRange(p *partition, gone *kafka.OffsetOutOfRangeError) {
	p.outOfRange++
	wait := time.Duration(0)
	if p.outOfRange > 1 {
		// The ends contained the offset, and yet the leader refused it again.
		wait = min(100*time.Millisecond<<min(p.outOfRange, 6), 5*time.Second)
	}
	go m.findEnds(p, p.epoch, gone, wait)
}

// findEnds asks for the log's ends until it gets them or the partition is not read
// any more.
func (m *member) findEnds(p *partition, epoch uint64, gone *kafka.OffsetOutOfRangeError, wait time.Duration) {
	m.withEnds(p, epoch, wait, func(e logEnds) {
		if former := p.origin.TopicID; former != (kafka.TopicID{}) && e.topic != (kafka.TopicID{}) && e.topic != former {
			m.recreated(p, &kafka.TopicRecreatedError{
				Topic: gone.Topic, Partition: p.id, Offset: gone.Offset, Former: former, Present: e.topic,
			})
			return
		}
		m.placed(p, gone.Offset, e.first, e.end)
	})
}

// findStart has a partition go on at the beginning of another topic.
func (m *member) findStart(p *partition, epoch uint64, topic kafka.TopicID) {
	m.withEnds(p, epoch, 0, func(e logEnds) {
		m.turn(p, &turning{restart: true, at: e.first, origin: offsets.Origin{TopicID: topic}})
	})
}

// withEnds asks for the log's ends, and has the feeder call do with them if the
// partition still waits for that.
func (m *member) withEnds(p *partition, epoch uint64, wait time.Duration, do func(logEnds)) {
	pause := backoff.Backoff{Initial: 100 * time.Millisecond, Max: 5 * time.Second}
	for backoff.Sleep(m.hard, wait) == nil {
		ends, err := m.askEnds(p.id)
		m.lookups.Add(1)
		if err == nil {
			m.post(func() {
				if m.parts[p.id] == p && p.epoch == epoch && p.is(active, careful, halted) {
					do(ends)
				}
			})
			return
		}
		if p.cancelled.Load() {
			return
		}
		m.log.Info("could not look up where the log begins and ends; trying again",
			"topic", m.e.cfg.Input.Topic, "partition", p.id, "error", err.Error())
		wait = pause.Next()
	}
}

// logEnds is where a partition's log begins and ends, and in which topic.
type logEnds struct {
	first, end int64 // the offsets of the first record and of the next one
	topic      kafka.TopicID
}

// askEnds asks the partition's leader for its log's ends.
func (m *member) askEnds(id int32) (ends logEnds, err error) {
	ctx, cancel := context.WithTimeout(m.hard, 10*time.Second)
	defer cancel()
	topic := m.e.cfg.Input.Topic
	// The log's end, not that of what ReadCommitted may read.
	for at, offset := range map[kafka.OffsetSpec]*int64{kafka.Earliest: &ends.first, kafka.Latest: &ends.end} {
		answer := m.e.client.PartitionOffsets(ctx, topic, []int32{id}, at, config.ReadUncommitted)[id]
		if answer.Err != nil {
			return ends, answer.Err
		}
		*offset = answer.Offset
	}
	ends.topic, err = m.e.client.TopicID(ctx, topic)
	return ends, err
}

// placed has the partition go on in a log from first to end, which does not have
// the offset.
func (m *member) placed(p *partition, offset, first, end int64) {
	p.end.found(end)
	switch {
	case offset < first:
		m.overtaken(p, offset, first)
	case offset > end:
		m.truncated(p, offset, end)
	default:
		p.epoch = m.fetcher.StartAt(p.id, p.at(offset))
	}
}

// overtaken goes on at the log's start after retention has deleted what was to
// be read next, whatever the start offset of new partitions is.
func (m *member) overtaken(p *partition, from, first int64) {
	err := fmt.Errorf("topic %q, partition %d: records from offset %d up to %d were deleted by retention before they were read: "+
		"give the topic a longer retention, or the worker more CPUs or pods", m.e.cfg.Input.Topic, p.id, from, first)
	// What was settled above the watermark before a restart is not lost.
	m.lose(p, first-from-p.tracker.ResumedWithin(from, first), from, first, workerstatus.LossRetention, err)
	if m.haltsOnLoss() {
		m.turn(p, &turning{halt: fmt.Errorf("%w; to go on without them, set input.onDataLoss to Continue", err)})
		return
	}
	m.turn(p, &turning{skipTo: first})
	p.epoch = m.fetcher.StartAt(p.id, p.at(first))
}

// truncated goes back to offset to, where the log was cut: from there on it holds
// other records than those that were read, or none.
func (m *member) truncated(p *partition, from, to int64) {
	err := fmt.Errorf("topic %q, partition %d: the log was cut at offset %d, and the group has read up to %d (an unclean leader election, "+
		"or a topic that was restored): set unclean.leader.election.enable=false and acks=all where records must not be lost",
		m.e.cfg.Input.Topic, p.id, to, from)
	m.lose(p, from-to, to, from, workerstatus.LossTruncated, err)
	m.dropSets(p) // of the log that is gone; the rest can be fetched again
	position := p.tracker.Position()
	switch {
	case m.haltsOnLoss():
		m.turn(p, &turning{halt: fmt.Errorf("%w; to go on from there, set input.onDataLoss to Continue", err)})
	case to >= position:
		p.epoch = m.fetcher.StartAt(p.id, p.at(position))
	default:
		m.turn(p, &turning{restart: true, at: to, origin: p.origin})
	}
}

// recreated goes over to the first record of a topic that was deleted and created
// again under its name, whatever the start offset is. What was fetched of the
// former topic is nowhere else any more, and is finished.
func (m *member) recreated(p *partition, found *kafka.TopicRecreatedError) {
	end := max(p.end.high.Load(), found.Offset)
	m.lose(p, end-found.Offset, found.Offset, end, workerstatus.LossTopicRecreated, found)
	if m.haltsOnLoss() {
		m.turn(p, &turning{halt: fmt.Errorf("%w; to read it from its first record, set input.onDataLoss to Continue", found)})
		return
	}
	p.foreign.Store(true)
	go m.findStart(p, p.epoch, found.Present)
}

func (m *member) haltsOnLoss() bool { return m.e.cfg.Input.OnDataLoss == config.HaltOnLoss }

// lose reports that n offsets between from and to are lost.
func (m *member) lose(p *partition, n, from, to int64, reason workerstatus.LossReason, err error) {
	m.e.metrics.OffsetsLost.Add(p.id, n, from, to, reason)
	m.log.Error(err, "Kafka lost offsets of the input", "topic", m.e.cfg.Input.Topic, "partition", p.id,
		"offsets", n, "from", from, "to", to, "reason", reason)
}
