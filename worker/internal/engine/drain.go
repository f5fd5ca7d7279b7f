package engine

import (
	"context"
	"time"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/internal/dispatch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/group"
)

// hurriedDrain bounds a drain after the brokers have refused to write the output:
// most records can't be settled then, and the drain is for the few that can.
const hurriedDrain = 2 * time.Second

// drains finish partitions that the member gives up: they wait for the records in
// flight, commit for the last time and release the partition. Only the feeder's
// goroutine has them.
type drains struct {
	proc     *process
	log      logr.Logger
	mail     *mailbox
	holdings *holdings
	group    *group.Member
	ends     *drainEnds
	exact    *transactions // nil if delivery is not ExactlyOnce

	hurried  bool      // drains end after hurriedDrain
	awaited  bool      // a drain waits for records in the pool, and they for no others
	deadline time.Time // of all drains, once the member stops
}

// drainEnds does the parts of a drain that wait. They run beside the feeder, and so
// have none of its state.
type drainEnds struct {
	proc    *process
	log     logr.Logger
	mail    *mailbox
	commits *committer
	pool    *dispatch.Pool
	writers *writers
	working context.Context
}

// begin stops reading a partition. It is closed when no record of it is in flight, or
// the drain timeout has passed. The member stays in the group in that time. A
// partition that is being acquired drains once it is acquired, within the same
// timeout.
func (d *drains) begin(r *reader) {
	if r.inState(acquiring) {
		d.limit(r)
	}
	if !r.inState(active, careful, halted) {
		return // already on its way out
	}
	r.become(draining)
	r.stopFetching()
	r.dropSets()
	d.limit(r)
	d.mail.wake.Notify()
}

// limit makes the partition's drain end after the drain timeout. A start over within the
// drain adds no time.
func (d *drains) limit(r *reader) {
	if r.drainTimer != nil {
		return
	}
	if r.drainUntil.IsZero() {
		r.drainUntil = time.Now().Add(d.proc.cfg.DrainTimeout.Duration)
	}
	timeout := time.Until(r.drainUntil)
	if d.hurried {
		timeout = min(timeout, hurriedDrain)
	}
	if !d.deadline.IsZero() {
		timeout = min(timeout, time.Until(d.deadline))
	}
	p, mail := r.partition, d.mail
	r.drainTimer = time.AfterFunc(timeout, func() {
		mail.post(func(f *feeder) {
			if r := f.holdings.of(p); r != nil {
				f.drains.cutShort(r)
			}
		})
	})
}

// hurry shortens the drains, those under way too.
func (d *drains) hurry() {
	d.hurried = true
	for _, r := range d.holdings.readers {
		if r.drainTimer != nil && r.inState(acquiring, draining) {
			r.drainTimer.Reset(min(hurriedDrain, d.proc.cfg.DrainTimeout.Duration))
		}
	}
}

// cutShort gives up the records that a draining partition still has in flight. The
// drain may have ended in another way since the timer fired.
func (d *drains) cutShort(r *reader) {
	switch {
	case r.inState(acquiring):
		d.giveUpAcquiring(r)
	case r.inState(draining):
		d.log.Info("the drain timeout has passed; the next owner repeats the records that are still in flight",
			"partition", r.id, "records", r.records.Load(), "watermark", r.tracker.Watermark())
		d.close(r)
	}
}

// giveUpAcquiring gives a partition up that could not be acquired. Nothing of it was
// read, so there is nothing to commit.
func (d *drains) giveUpAcquiring(r *reader) {
	d.log.Info("the drain timeout has passed; giving up a partition that could not be acquired", "partition", r.id)
	d.holdings.forget(r)
	if r.revoked {
		d.giveBack(r.assignment)
	}
}

// closeDrained closes the partitions whose records in flight are all settled, but for
// those that can't be. While there are others, no records linger in the pool.
func (d *drains) closeDrained() {
	var drained []*reader
	awaited := false
	for _, r := range d.holdings.readers {
		switch {
		case !r.inState(draining):
		case r.records.Load() <= r.stuck.Load():
			drained = append(drained, r)
		default:
			awaited = true
		}
	}
	if awaited != d.awaited {
		d.awaited = awaited
		d.ends.pool.Hurry(awaited)
	}
	if len(drained) > 0 {
		d.close(drained...)
	}
}

// close commits partitions for the last time, says in the commit that they
// were given up in good order, and releases those that the group has revoked.
func (d *drains) close(readers ...*reader) {
	parts := make([]*partition, 0, len(readers))
	for _, r := range readers {
		r.become(closing)
		r.stopDrainTimer()
		r.giveUp() // before the last checkpoint: no result may count after it
		r.search.leaveTurn()
		r.search.markClosed()
		parts = append(parts, r.partition)
	}
	go d.ends.commitLast(parts)
}

// commitLast makes the partitions' last commit. While the coordinator can't be
// reached the partitions stay with this member; the drain timeout bounds the wait, and
// so does the end of a stop.
func (e *drainEnds) commitLast(parts []*partition) {
	ctx, cancel := context.WithTimeout(e.working, max(e.proc.cfg.DrainTimeout.Duration, time.Second))
	defer cancel()
	if err := e.commits.commit(ctx, parts...); err != nil {
		e.log.Info("could not commit on giving up partitions; their next owners will repeat records", "error", err.Error())
	}
	e.mail.post(func(f *feeder) { f.drains.release(parts) })
}

// release ends assignments after their last commit. Those that the group has
// revoked, before that commit or during it, go back to the group.
func (d *drains) release(parts []*partition) {
	var over []*reader
	var revoked []*group.Assignment
	for _, p := range parts {
		r := d.holdings.of(p)
		if r == nil {
			continue
		}
		if r.revoked {
			revoked = append(revoked, r.assignment)
		}
		d.holdings.tellRevoked(r)
		over = append(over, r)
	}
	d.holdings.forget(over...)
	d.giveBack(revoked...)
}

// giveBack lets the group assign partitions to other members.
func (d *drains) giveBack(revoked ...*group.Assignment) {
	if len(revoked) == 0 {
		return
	}
	go func() {
		if d.exact != nil {
			d.exact.letGo(partitionsOf(revoked))
		}
		d.group.Release(revoked) // waits for commits under way
	}()
}

// endHalted ends the worker because of a record that can't be settled. Attempts
// under way in its partition are finished and committed. Records whose attempt has
// not begun are left to the next owner, as is a record of a partition that was given
// up.
func (d *drains) endHalted(r *reader, halt *HaltError) {
	if r.inState(closing) {
		return
	}
	d.proc.fail(halt, false)
	d.begin(r)
	if r.awaitsAttempts {
		return
	}
	r.awaitsAttempts = true
	go d.ends.awaitAttempts(r.partition)
}

// awaitAttempts closes a draining partition once no attempt is under way and the
// results so far are written.
func (e *drainEnds) awaitAttempts(p *partition) {
	ctx, cancel := context.WithTimeout(e.working, e.proc.cfg.DrainTimeout.Duration)
	defer cancel()
	if e.pool.Quiesce(ctx) == nil {
		_ = e.writers.flush(ctx) // the next owner repeats the rest
	}
	e.mail.post(func(f *feeder) {
		if r := f.holdings.of(p); r != nil && r.inState(draining) {
			f.drains.close(r)
		}
	})
}
