package sidecar

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/frame"
)

const (
	// goodbyeTimeout bounds how long the last frames of a connection may take.
	goodbyeTimeout = time.Second
	// keepBytes is the largest buffer that is kept for other batches.
	keepBytes = 4 << 20
)

// sender writes frames. Callers queue them and never wait: a process that does not read
// can't block a goroutine that reads from it. The queue is bounded by the process's credit.
type sender struct {
	stream net.Conn
	wake   chan struct{}

	mu      sync.Mutex
	frames  [][]byte // guarded by mu
	queued  uint64   // frames ever; guarded by mu
	spare   [][]byte // guarded by mu
	stopped bool     // guarded by mu
}

func newSender(stream net.Conn) *sender {
	return &sender{stream: stream, wake: make(chan struct{}, 1)}
}

// buffer returns an empty slice with room for n bytes, for a frame.
func (s *sender) buffer(n int) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if last := len(s.spare) - 1; last >= 0 {
		b := s.spare[last]
		s.spare = s.spare[:last]
		if cap(b) >= n {
			return b[:0]
		}
	}
	return make([]byte, 0, n)
}

// queue hands over a frame to write, with its memory. place gets the frame's place among all,
// from 1; nil is allowed.
func (s *sender) queue(b []byte, place *atomic.Uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return
	}
	s.frames = append(s.frames, b)
	s.queued++
	if place != nil {
		place.Store(s.queued) // before the process can answer the frame
	}
	s.notify()
}

// stop ends the connection. It drops the frames that are queued, and writes a Close with the
// reason if there is one.
func (s *sender) stop(reason string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stopped {
		return
	}
	s.stopped = true
	if s.frames = nil; reason != "" {
		s.frames = [][]byte{frame.AppendClose(nil, reason)}
	}
	_ = s.stream.SetWriteDeadline(time.Now().Add(goodbyeTimeout)) // fails if the stream is closed
	s.notify()
}

func (s *sender) notify() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// run writes frames until stop is called, and closes the stream. If the process takes no
// more, run drops them: the goroutine that reads learns why, after the last results.
func (s *sender) run() {
	var frames [][]byte
	broken, stopped := false, false
	for !stopped {
		<-s.wake
		frames, stopped = s.takeAll(frames)
		for _, b := range frames {
			if broken {
				break
			}
			_, err := s.stream.Write(b)
			broken = err != nil
		}
	}
	_ = s.stream.Close() // the connection ends in any case
}

// takeAll returns the queued frames, and takes back those that are written.
func (s *sender) takeAll(written [][]byte) (frames [][]byte, stopped bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, b := range written {
		if cap(b) <= keepBytes && len(s.spare) < 4 {
			s.spare = append(s.spare, b)
		}
	}
	clear(written)
	frames, s.frames = s.frames, written[:0]
	return frames, s.stopped
}
