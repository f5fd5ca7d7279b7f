package engine

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
)

// logEnd holds where a partition's log ended at the last fetch. The feeder writes
// it, /status reads it.
type logEnd struct {
	// readable is the end of the records that may be read: the last stable offset
	// under ReadCommitted. high is the end of the log. Both are -1 until a broker has
	// reported them.
	readable, high atomic.Int64
	// heldSince is the time since began when open transactions began to hold
	// readable where it is, below high; 0 if they don't.
	heldSince atomic.Int64
}

func (e *logEnd) unknown() {
	e.readable.Store(-1)
	e.high.Store(-1)
}

// found notes the log's end from a request before the first fetch, so that a partition
// that is halted then shows its lag.
func (e *logEnd) found(end int64) {
	if e.readable.Load() < 0 {
		e.readable.Store(end)
		e.high.Store(end)
	}
}

// moved notes the watermarks of a set. Not every broker sends all of them.
func (e *logEnd) moved(s *batch.Set, readCommitted bool) {
	readable := s.HighWatermark
	if readCommitted && s.LastStableOffset >= 0 {
		readable = s.LastStableOffset
	}
	if readable < 0 {
		return
	}
	switch {
	case readable >= s.HighWatermark:
		e.heldSince.Store(0)
	case e.heldSince.Load() == 0 || readable != e.readable.Load():
		e.heldSince.Store(int64(time.Since(began)))
	}
	e.readable.Store(readable)
	e.high.Store(max(s.HighWatermark, readable))
}

// heldAfter is the time for which a transaction is open before /status says that it
// holds back the records behind it. Most transactions end sooner.
const heldAfter = 5 * time.Second

// held describes the open transaction that holds back offsets of the log; "" if none
// does, or not for long yet.
func (e *logEnd) held(now time.Duration) string {
	since := time.Duration(e.heldSince.Load())
	if since == 0 || now-since < heldAfter {
		return ""
	}
	return fmt.Sprintf("an open transaction has held back the %d offsets from %d on for %s",
		e.high.Load()-e.readable.Load(), e.readable.Load(), (now - since).Round(time.Second))
}
