package produce

import (
	"bufio"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/signal"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// Batches that are worth a request do not linger: a batch of worthSending bytes, or
// batches of at least worthJoining bytes if those of a broker have requestWorthSending
// bytes together. So linger adds nothing under load, when the worker may not read more
// before its records are written.
const (
	worthSending        = 64 << 10
	worthJoining        = worthSending / 4
	requestWorthSending = 256 << 10
)

// senderIdle is how long a sender without batches sleeps.
const senderIdle = time.Hour

// senderSet holds the senders of a Producer.
type senderSet struct {
	p *Producer

	mu       sync.Mutex
	byBroker map[int32]*sender // by the broker's id; guarded by mu
}

// of returns the sender of a broker, and starts it if there is none.
func (s *senderSet) of(broker int32) *sender {
	s.mu.Lock()
	defer s.mu.Unlock()
	found := s.byBroker[broker]
	if found == nil {
		found = newSender(s.p, broker)
		if s.byBroker == nil {
			s.byBroker = make(map[int32]*sender)
		}
		s.byBroker[broker] = found
		s.p.tasks.start(found.run)
	}
	return found
}

// wakeAll makes all senders look for due batches.
func (s *senderSet) wakeAll() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, sender := range s.byBroker {
		sender.wake.Notify()
	}
}

// sender writes to one broker.
type sender struct {
	p    *Producer
	wake signal.Signal // look for due batches, now or after the request under way

	mu       sync.Mutex
	incoming []*partitionQueue // handed over; guarded by mu
	wakeAt   time.Time         // when the sender looks by itself; zero while it is awake; guarded by mu

	// The fields below belong to the sender's goroutine.
	waiting    []*partitionQueue // with batches to send, the longest wait first
	request    writeRequest      // under way
	results    resultHandler
	timer      *time.Timer
	quietUntil time.Time // the broker has asked for no requests until then
}

func newSender(p *Producer, broker int32) *sender {
	return &sender{
		p:       p,
		wake:    signal.New(),
		request: writeRequest{p: p, broker: broker, out: bufio.NewWriterSize(nil, requestBuffer)},
		results: resultHandler{p: p, broker: broker},
	}
}

// add takes over a queue from its holder. It wakes the sender if that would not look
// before due.
func (s *sender) add(q *partitionQueue, due time.Time) {
	s.mu.Lock()
	s.incoming = append(s.incoming, q)
	wake := due.Before(s.wakeAt)
	s.mu.Unlock()
	if wake {
		s.wake.Notify()
	}
}

// run sends batches until the Producer is closed.
func (s *sender) run() {
	s.timer = time.NewTimer(senderIdle)
	defer s.timer.Stop()
	for s.next() {
		if s.request.prepare() != nil {
			return // the Producer is closed
		}
		res, err := s.request.send()
		s.p.tries.Add(1)
		if s.p.tasks.ctx.Err() != nil {
			return
		}
		if err == nil {
			s.quietUntil = kafka.QuietUntil(s.request.broker, res.throttleMs, s.p.cfg.OnThrottle)
		}
		s.waiting = append(s.waiting, s.results.handleResponse(s.request.batches, res, err)...)
		s.request.clear()
	}
}

// next waits until something is due and adds it to the request. It returns false
// when the Producer is closed.
func (s *sender) next() bool {
	for {
		s.accept()
		wait := s.collect(time.Now())
		if len(s.request.batches) > 0 {
			return true
		}
		if !s.sleep(wait) {
			return false
		}
	}
}

// accept takes over the queues that were handed to the sender.
func (s *sender) accept() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = append(s.waiting, s.incoming...)
	clear(s.incoming)
	s.incoming = s.incoming[:0]
}

// collect adds the first batches of the queues to the request if one of them is due.
// Otherwise it returns the time until one is.
func (s *sender) collect(now time.Time) time.Duration {
	linger := s.p.linger
	wait, plenty := s.earliest(now, linger)
	if wait > 0 && s.p.memory.blocked.Load() > 0 {
		// Nothing lingers while a call of Append waits for its memory.
		linger = 0
		wait, _ = s.earliest(now, linger)
	}
	wait = max(wait, s.quietUntil.Sub(now))
	if wait > 0 {
		return wait
	}
	size, kept := 0, s.waiting[:0]
	for _, q := range s.waiting {
		left, failed, n := q.outlook(now, linger)
		// A batch that is due soon joins this request: later it would have its own.
		soon := left <= 0 || !failed && (left <= linger/2 || plenty && n >= worthJoining)
		if !soon || len(s.request.batches) > 0 && size+n > s.p.maxRequest {
			kept = append(kept, q)
			continue
		}
		size += n
		s.request.batches = append(s.request.batches, outgoing{q, q.take()})
	}
	clear(s.waiting[len(kept):])
	s.waiting = kept
	return 0
}

// earliest returns the time until the first batch is due (0 or less if one is due
// now), and reports whether enough is queued to send at once.
func (s *sender) earliest(now time.Time, linger time.Duration) (wait time.Duration, plenty bool) {
	wait, size := senderIdle, 0
	for _, q := range s.waiting {
		left, failed, n := q.outlook(now, linger)
		wait = min(wait, left)
		if !failed && n >= worthJoining {
			size += n
		}
	}
	if size >= requestWorthSending {
		return min(wait, 0), true
	}
	return wait, false
}

// sleep waits until the sender is woken, at most as long as given. It returns false
// when the Producer is closed.
func (s *sender) sleep(wait time.Duration) bool {
	s.mu.Lock()
	if len(s.incoming) > 0 {
		s.mu.Unlock()
		return true
	}
	s.wakeAt = time.Now().Add(wait)
	s.mu.Unlock()
	s.timer.Reset(wait)
	select {
	case <-s.wake:
	case <-s.timer.C:
	case <-s.p.tasks.ctx.Done():
		return false
	}
	s.mu.Lock()
	s.wakeAt = time.Time{}
	s.mu.Unlock()
	return true
}
