package engine

import (
	"sync"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/kafka/fetch"
)

// epochHistory holds the leader epochs of a partition's records from the committed
// offset on, so that a commit can name the epoch of the last record below it. It is
// short: an epoch begins when the partition gets another leader.
type epochHistory struct {
	mu     sync.Mutex
	starts []batch.EpochStart // in order; guarded by mu
}

// add appends the epochs that begin in a fetched set, and forgets those that end
// before offset below.
func (h *epochHistory) add(starts []batch.EpochStart, below int64) {
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

// before returns the epoch of the last record below an offset, -1 if it is not known.
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
func (h *epochHistory) until(offset int64) (starts []batch.EpochStart) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, start := range h.starts {
		if start.Offset < offset {
			starts = append(starts, start)
		}
	}
	return starts
}

// at returns an offset of the partition's log with the epoch and topic that it belongs to.
func (p *partition) at(offset int64) fetch.Position {
	return fetch.Position{Offset: offset, LeaderEpoch: p.epochs.before(offset), TopicID: p.origin.TopicID}
}
