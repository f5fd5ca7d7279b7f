package engine

import (
	"fmt"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/kafka/fetch"
	"github.com/millrace-dev/millrace/worker/internal/offsets"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// turning says how a partition goes on at a place where its log is not continuous.
// It takes effect when everything that was fetched before that place is dispatched.
type turning struct {
	// halt ends the reading, if it is set.
	halt error
	// skipTo is where the same log goes on: all offsets below count as settled.
	// 0 if it does not.
	skipTo int64
	// restart reads another log from at on, as soon as nothing of the former log
	// is in flight: the same offsets stand for other records there. Until then
	// nothing is committed, since the group would apply it to the other log.
	restart bool
	at      int64
	origin  offsets.Origin
}

// gaps lead partitions past places where their log is not continuous: retention has
// deleted records before they were read, the log was cut, or the topic was created
// again. Only the feeder's goroutine has them.
type gaps struct {
	proc        *process
	losses      losses
	logEnds     *logEndLookups
	halts       *halts
	assignments *assignments
	commits     *committer
	chunks      *chunks
}

// turn sets how a partition goes on.
func (g *gaps) turn(r *reader, t *turning) {
	r.turning = t
	r.foreign.Store(t.restart)
	g.pass(r)
}

// pass goes on beyond the place where the log is not continuous, if
// everything before is dispatched.
func (g *gaps) pass(r *reader) {
	t := r.turning
	if t == nil || r.hasInput() || !r.inState(active, careful, halted) {
		return
	}
	switch {
	case t.halt != nil:
		r.turning = nil
		g.halts.halt(r, t.halt)
	case !t.restart:
		r.turning = nil
		g.skip(r, t.skipTo)
	case r.records.Load() == 0:
		r.turning = nil
		g.assignments.replace(r, t)
	}
}

// skip settles everything up to next.
func (g *gaps) skip(r *reader, next int64) {
	if next <= r.tracker.Position() {
		return // a set of later records was faster
	}
	c := g.chunks.get(0)
	r.tracker.Admit(&c.span, nil, next)
	g.chunks.put(c)
	g.commits.nudge(r.partition, next)
}

// outOfRange handles an offset that the log does not have. Retention may have
// overtaken the partition, or the log may have become shorter: only the log's present
// ends show which. Records that were fetched before that offset are valid and stay.
func (g *gaps) outOfRange(r *reader, gone *fetch.OffsetOutOfRangeError) {
	r.outOfRange++
	wait := time.Duration(0)
	if r.outOfRange > 1 {
		// The ends contained the offset, and yet the leader refused it again.
		wait = r.askAgain.Next()
	}
	g.withEnds(r, wait, func(g *gaps, r *reader, e logEnds) {
		if former := r.origin.TopicID; former != (kafka.TopicID{}) && e.topic != (kafka.TopicID{}) && e.topic != former {
			g.recreated(r, &fetch.TopicRecreatedError{
				Topic: gone.Topic, Partition: r.id, Offset: gone.Offset, Former: former, Present: e.topic,
			})
			return
		}
		g.resume(r, gone.Offset, e)
	})
}

// withEnds asks for the log's ends, and has the feeder call do with them if the
// partition still waits for that.
func (g *gaps) withEnds(r *reader, wait time.Duration, do func(*gaps, *reader, logEnds)) {
	p, epoch := r.partition, r.epoch
	go g.logEnds.find(p, wait, func(f *feeder, ends logEnds) {
		if r := f.holdings.of(p); r != nil && r.epoch == epoch && r.inState(active, careful, halted) {
			do(f.gaps, r, ends)
		}
	})
}

// resume has the partition go on in a log that does not have the offset.
func (g *gaps) resume(r *reader, offset int64, log logEnds) {
	r.end.found(log.end)
	switch {
	case offset < log.first:
		g.overtaken(r, offset, log.first)
	case offset > log.end:
		g.truncated(r, offset, log.end)
	default:
		r.fetchFrom(offset)
	}
}

// overtaken goes on at the log's start after retention has deleted the next records,
// whatever the start offset of new partitions is.
func (g *gaps) overtaken(r *reader, from, first int64) {
	err := fmt.Errorf("topic %q, partition %d: records from offset %d up to %d were deleted by retention before they were read: "+
		"give the topic a longer retention, or the worker more CPUs or pods", g.proc.cfg.Input.Topic, r.id, from, first)
	// Records that were settled above the watermark before a restart are not lost.
	settled := r.tracker.ResumedWithin
	counted := g.proc.overtaken.add(lostLog{r.id, r.origin.TopicID}, span{from, first}, settled)
	g.losses.report(r.id, first-from-settled(from, first)-counted, from, first, workerstatus.LossRetention, err)
	if g.losses.halt() {
		g.turn(r, &turning{halt: fmt.Errorf("%w; to go on without them, set input.onDataLoss to Continue", err)})
		return
	}
	g.turn(r, &turning{skipTo: first})
	r.fetchFrom(first)
}

// truncated goes back to offset to, where the log was cut: from there on it holds
// other records than those that were read, or none.
func (g *gaps) truncated(r *reader, from, to int64) {
	err := fmt.Errorf("topic %q, partition %d: the log was cut at offset %d, and the group has read up to %d (an unclean leader election, "+
		"or a topic that was restored): set unclean.leader.election.enable=false and acks=all where records must not be lost",
		g.proc.cfg.Input.Topic, r.id, to, from)
	g.losses.report(r.id, from-to, to, from, workerstatus.LossTruncated, err)
	r.dropSets() // of the log that is gone; the rest can be fetched again
	switch {
	case g.losses.halt():
		g.turn(r, &turning{halt: fmt.Errorf("%w; to go on from there, set input.onDataLoss to Continue", err)})
	case to >= r.tracker.Position():
		r.fetchOn()
	default:
		g.turn(r, &turning{restart: true, at: to, origin: r.origin})
	}
}

// recreated goes over to the first record of a topic that was deleted and created
// again under its name, whatever the start offset is. The fetched records of the
// former topic exist nowhere else any more, and are finished.
func (g *gaps) recreated(r *reader, found *fetch.TopicRecreatedError) {
	end := max(r.end.high.Load(), found.Offset)
	g.losses.report(r.id, end-found.Offset, found.Offset, end, workerstatus.LossTopicRecreated, found)
	if g.losses.halt() {
		g.turn(r, &turning{halt: fmt.Errorf("%w; to read it from its first record, set input.onDataLoss to Continue", found)})
		return
	}
	r.foreign.Store(true)
	g.withEnds(r, 0, func(g *gaps, r *reader, e logEnds) {
		g.turn(r, &turning{restart: true, at: e.first, origin: offsets.Origin{TopicID: found.Present}})
	})
}
