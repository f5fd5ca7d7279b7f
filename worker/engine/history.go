package engine

import (
	"sync"

	"github.com/millrace-dev/millrace/worker/kafka"
)

// epochHistory says which leader epoch a partition's records are of, from the
// committed offset on, so that a commit tells the epoch of the last record below
// it. There is a new epoch when the partition has another leader: seldom.
type epochHistory struct {
	mu     sync.Mutex
	starts []kafka.EpochStart // in order; guarded by mu
}

// add appends what a fetched set tells, and forgets what lies behind below.
func (h *epochHistory) add(starts []kafka.EpochStart, below int64) {
	if len(starts) == 0 {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for len(h.starts) > 1 && h.starts[1].Offset < below {
		h.starts = h.starts[1:]
	}
	h.starts = append(h.starts, starts...)
}

// before returns the epoch of the last record below an offset; -1 is unknown.
func (h *epochHistory) before(offset int64) int32 {
	h.mu.Lock()
	defer h.mu.Unlock()
	for i := len(h.starts) - 1; i >= 0; i-- {
		if h.starts[i].Offset < offset {
			return h.starts[i].Epoch
		}
	}
	return -1
}

// until returns the epochs that begin below an offset.
func (h *epochHistory) until(offset int64) (starts []kafka.EpochStart) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, start := range h.starts {
		if start.Offset < offset {
			starts = append(starts, start)
		}
	}
	return starts
}

// at returns a place in the partition's log.
func (p *partition) at(offset int64) kafka.Position {
	return kafka.Position{Offset: offset, LeaderEpoch: p.epochs.before(offset), TopicID: p.origin.TopicID}
}
