package engine

import (
	"context"
	"time"

	"github.com/millrace-dev/millrace/worker/kafka"
)

// drain stops reading a partition. When nothing of it is in flight, or the drain
// timeout has passed, it is closed. The member stays in the group while that goes
// on. A partition that is being acquired drains once it is acquired, within the
// same timeout.
func (m *member) drain(p *partition) {
	if p.is(acquiring) {
		m.limitDrain(p)
	}
	if !p.is(active, careful, halted) {
		return // already on its way out
	}
	p.to(draining)
	m.fetcher.Stop(p.id)
	m.dropSets(p)
	m.limitDrain(p)
	m.wakeFeeder()
}

// limitDrain makes the partition's drain end after the drain timeout.
func (m *member) limitDrain(p *partition) {
	if p.timer != nil {
		return
	}
	timeout := m.e.cfg.DrainTimeout.Duration
	if m.hurried {
		timeout = min(timeout, hurriedDrain)
	}
	p.timer = time.AfterFunc(timeout, func() { m.post(func() { m.abandon(p) }) })
}

// abandon gives up what a draining partition still has in flight. The
// assignment may have ended in another way since the timer fired.
func (m *member) abandon(p *partition) {
	if p.is(acquiring) {
		m.abandonAcquiring(p)
	}
	if !p.is(draining) {
		return
	}
	m.log.Info("the drain timeout has passed; what is still in flight will be repeated by the next owner",
		"partition", p.id, "records", p.records.Load(), "watermark", p.tracker.Watermark())
	m.close(p)
}

// abandonAcquiring gives a partition up that could not be acquired: nothing of it
// was read, so there is nothing to commit.
func (m *member) abandonAcquiring(p *partition) {
	m.log.Info("the drain timeout has passed; giving up a partition that could not be acquired", "partition", p.id)
	m.forget(p)
	if p.revoked {
		go m.group.Release([]*kafka.Assignment{p.assignment}) // it waits for commits under way
	}
}

// closeDrained closes the partitions that have nothing in flight any more that can
// be settled.
func (m *member) closeDrained() {
	var drained []*partition
	for _, p := range m.parts {
		if p.is(draining) && p.records.Load() <= p.stuck.Load() {
			drained = append(drained, p)
		}
	}
	if len(drained) > 0 {
		m.close(drained...)
	}
}

// close commits partitions for the last time, says in the commit that they
// were given up in good order, and releases those that the group has revoked.
func (m *member) close(parts ...*partition) {
	for _, p := range parts {
		p.to(closing)
		p.stopTimer()
		p.giveUp() // before the last checkpoint: no result may count after it
		m.leaveTurn(p)
		m.markClosed(p)
	}
	go func() {
		// While the coordinator can't be reached the partitions stay ours;
		// the drain timeout bounds the wait, and the end of a stop does.
		ctx, cancel := context.WithTimeout(m.hard, max(m.e.cfg.DrainTimeout.Duration, time.Second))
		defer cancel()
		if err := m.commit(ctx, parts...); err != nil {
			m.log.Info("could not commit on giving up partitions; their next owners will repeat records", "error", err.Error())
		}
		m.post(func() { m.release(parts) })
	}()
}

// release ends assignments after their last commit. Those that the group has
// revoked, before that commit or during it, go back to the group.
func (m *member) release(parts []*partition) {
	var revoked []*kafka.Assignment
	for _, p := range parts {
		if p.revoked && m.held(p.assignment) == p {
			revoked = append(revoked, p.assignment)
		}
		m.forget(p)
	}
	if len(revoked) > 0 {
		go m.group.Release(revoked) // it waits for commits under way
	}
}

// dropSets frees what was fetched and not admitted to the tracker, and forgets how
// the log goes on behind it.
func (m *member) dropSets(p *partition) {
	p.turning = nil
	if p.ahead != nil {
		m.chunks.put(p.ahead)
		p.ahead = nil
		m.dropWindow(p)
	}
	if p.set != nil {
		p.set.Release()
		p.set = nil
	}
	for _, s := range p.waiting {
		s.Release()
	}
	p.waiting = nil
}
