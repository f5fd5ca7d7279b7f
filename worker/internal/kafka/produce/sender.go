package produce

import (
	"bufio"
	"slices"
	"sync"
	"sync/atomic"
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
	// quietUntil is the time until which the broker has asked for no requests; nil before its
	// first answer. The sender's goroutine sets it. As a time.Time it does not depend on the
	// wall clock, which may be set back.
	quietUntil atomic.Pointer[time.Time]

	mu       sync.Mutex
	incoming []*partitionQueue // handed over; guarded by mu
	wakeAt   time.Time         // when the sender looks by itself; zero while it is awake; guarded by mu

	// The fields below belong to the sender's goroutine.
	waiting []*partitionQueue // with batches to send, the longest wait first
	request writeRequest      // under way
	results resultHandler
	timer   *time.Timer
}

func newSender(p *Producer, broker int32) *sender {
	return &sender{
		p:       p,
		wake:    signal.New(),
		request: writeRequest{p: p, broker: broker, out: bufio.NewWriterSize(nil, requestBuffer)},
		results: resultHandler{p: p, broker: broker, busy: busyCoordinator()},
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
	for {
		wait := s.work()
		if s.p.tasks.ctx.Err() != nil || wait > 0 && !s.sleep(wait) {
			return
		}
	}
}

// work sends the batches that are due, and acts on the response. Otherwise it returns the time until
// something is due. Reset waits for it.
func (s *sender) work() (wait time.Duration) {
	s.p.transactions.working.RLock()
	defer s.p.transactions.working.RUnlock()
	s.accept()
	if wait = s.collect(time.Now()); len(s.request.batches) == 0 {
		return wait
	}
	defer s.request.clear()
	if s.request.prepare() != nil {
		s.putBack(s.request.batches) // the Producer is closed, or was reset
		return 0
	}
	s.results.begin(s.request.tx)
	s.join()
	if len(s.request.batches) > 0 {
		s.write()
	}
	s.waiting = append(s.waiting, s.results.end()...)
	return 0
}

// write sends the request and acts on the response.
func (s *sender) write() {
	res, err := s.request.send()
	s.p.tries.Add(1)
	switch {
	case s.p.tasks.ctx.Err() != nil:
		return
	case err != nil && s.request.ctx.Err() != nil:
		s.putBack(s.request.batches)
		return
	case err == nil:
		until := kafka.QuietUntil(s.request.broker, res.throttleMs, s.p.cfg.OnThrottle)
		s.quietUntil.Store(&until)
	}
	s.results.handleResponse(s.request.batches, res, err)
}

// putBack keeps queues whose batches were not sent, or are to be dropped.
func (s *sender) putBack(batches []outgoing) {
	for _, o := range batches {
		o.queue.putBack()
		s.waiting = append(s.waiting, o.queue)
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
	wait = max(wait, s.quiet(now))
	if wait > 0 {
		return wait
	}
	size, kept := 0, s.waiting[:0]
	for _, q := range s.waiting {
		o := q.outlook(now, linger)
		// A batch that is due soon joins this request: later it would have its own.
		soon := o.left <= 0 || !o.held && (o.left <= linger/2 || plenty && o.size >= worthJoining)
		if !soon || len(s.request.batches) > 0 && size+o.size > s.p.maxRequest {
			kept = append(kept, q)
			continue
		}
		b := q.take()
		if b == nil {
			kept = append(kept, q)
			continue
		}
		size += o.size
		s.request.batches = append(s.request.batches, outgoing{q, b})
	}
	clear(s.waiting[len(kept):])
	s.waiting = kept
	return 0
}

// quiet returns how long the broker wants no requests.
func (s *sender) quiet(now time.Time) time.Duration {
	until := s.quietUntil.Load()
	if until == nil {
		return 0
	}
	return until.Sub(now)
}

// earliest returns the time until the first batch is due (0 or less if one is due
// now), and reports whether enough is queued to send at once. It gives up empty queues.
func (s *sender) earliest(now time.Time, linger time.Duration) (wait time.Duration, plenty bool) {
	wait, size, empty := senderIdle, 0, false
	for _, q := range s.waiting {
		o := q.outlook(now, linger)
		wait = min(wait, o.left)
		if !o.held && o.size >= worthJoining {
			size += o.size
		}
		empty = empty || o.empty
	}
	if empty {
		s.waiting = slices.DeleteFunc(s.waiting, (*partitionQueue).giveUpEmpty)
		wait = 0
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
