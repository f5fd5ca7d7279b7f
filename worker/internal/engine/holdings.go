package engine

import (
	"context"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/internal/kafka/fetch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/group"
)

// holdings are the partitions that the member has, from their assignment until they
// are given up. Only the feeder's goroutine has them; others see the roster.
type holdings struct {
	proc    *process
	mail    *mailbox
	roster  *roster
	fetcher *fetch.Fetcher
	chunks  *chunks
	commits *committer
	working context.Context

	readers map[int32]*reader
}

// add makes each of as its partition's assignment. Earlier ones must have been forgotten.
func (h *holdings) add(as ...*group.Assignment) []*partition {
	parts := make([]*partition, 0, len(as))
	for _, a := range as {
		p := newPartition(h.working, a)
		h.readers[p.id] = &reader{
			partition: p, fetcher: h.fetcher, chunks: h.chunks, commits: h.commits,
			search:   search{part: p, proc: h.proc, mail: h.mail, commits: h.commits},
			askAgain: backoff.Backoff{Initial: 400 * time.Millisecond, Max: 5 * time.Second},
		}
		parts = append(parts, p)
	}
	h.roster.add(parts)
	return parts
}

// of returns the reader of p, nil if p was given up.
func (h *holdings) of(p *partition) *reader {
	if r := h.readers[p.id]; r != nil && r.partition == p {
		return r
	}
	return nil
}

// under returns the reader of an assignment, nil if the member has given it up.
func (h *holdings) under(a *group.Assignment) *reader {
	if r := h.readers[a.Partition]; r != nil && r.assignment == a {
		return r
	}
	return nil
}

// forget ends assignments and all that belongs to them: their timers, their turns in
// careful reading, and the fetched data that was not dispatched.
func (h *holdings) forget(readers ...*reader) {
	if len(readers) == 0 {
		return
	}
	for _, r := range readers {
		r.giveUp()
		r.become(released)
		r.stopDrainTimer()
		h.tellLost(r)
		r.search.leaveTurn()
		r.dropSets()
		r.abandonChunks()
		r.stopFetching()
		h.fetcher.Disown(r.id)
		delete(h.readers, r.id)
	}
	h.roster.dropReleased()
	h.mail.wake.Notify()
}
