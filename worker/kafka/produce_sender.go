package kafka

import (
	"bufio"
	"cmp"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go/compress"

	"github.com/millrace-dev/millrace/worker/internal/kafka/batch"
	"github.com/millrace-dev/millrace/worker/internal/signal"
)

// What is worth a request does not linger: a batch of worthSending bytes, or
// batches of worthJoining bytes at least if a broker's have requestWorthSending
// bytes together. So linger adds nothing under load, when what is not written
// yet may be all that the worker is allowed to have read.
const (
	worthSending        = 64 << 10
	worthJoining        = worthSending / 4
	requestWorthSending = 256 << 10
)

// senderIdle is how long a sender sleeps that has nothing to send.
const senderIdle = time.Hour

// sender writes to one broker.
type sender struct {
	p      *Producer
	broker int32
	nudged signal.Signal // look for due batches, now or after the request under way

	mu       sync.Mutex
	incoming []*partitionQueue // handed over; guarded by mu
	wakeAt   time.Time         // when the sender looks by itself; zero while it is awake; guarded by mu

	// The rest belongs to the sender's goroutine.
	waiting    []*partitionQueue // have something to send, those first that wait longest
	batches    []outgoing        // of the request under way
	out        *bufio.Writer
	timer      *time.Timer
	quietUntil time.Time // the broker asked to be left alone until then
	ack        Ack
}

// outgoing is a batch in a request. It stays the first of its queue.
type outgoing struct {
	queue *partitionQueue
	batch *batch.Builder
}

// unpacked reports whether the batch is still to be compressed.
func (o outgoing) unpacked() bool {
	return !o.batch.PackTried() && o.queue.topic.compression() != compress.None
}

// add takes a queue over from who held it. The sender is woken if it would not
// look before due.
func (s *sender) add(q *partitionQueue, due time.Time) {
	s.mu.Lock()
	s.incoming = append(s.incoming, q)
	wake := due.Before(s.wakeAt)
	s.mu.Unlock()
	if wake {
		s.nudged.Notify()
	}
}

func (s *sender) run() {
	s.timer = time.NewTimer(senderIdle)
	defer s.timer.Stop()
	for s.next() {
		if s.prepare() != nil {
			return // the Producer is closed
		}
		res, err := s.send()
		s.p.tries.Add(1)
		if s.p.ctx.Err() != nil {
			return
		}
		s.settle(res, err)
		clear(s.batches)
		s.batches = s.batches[:0]
	}
}

// next waits until something is due and takes it into batches. It returns false
// at the Producer's end.
func (s *sender) next() bool {
	for {
		s.accept()
		wait := s.collect(time.Now())
		if len(s.batches) > 0 {
			return true
		}
		if !s.sleep(wait) {
			return false
		}
	}
}

// accept takes over what was handed to the sender.
func (s *sender) accept() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.waiting = append(s.waiting, s.incoming...)
	clear(s.incoming)
	s.incoming = s.incoming[:0]
}

// collect takes the first batches of the queues into a request if one of them
// is due. Otherwise it returns how long none will be.
func (s *sender) collect(now time.Time) time.Duration {
	linger := s.p.linger
	wait, plenty := s.earliest(now, linger)
	if wait > 0 && s.p.blocked.Load() > 0 {
		// Nothing lingers while someone waits for its memory.
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
		// What would be due soon comes along, rather than by itself later.
		soon := left <= 0 || !failed && (left <= linger/2 || plenty && n >= worthJoining)
		if !soon || len(s.batches) > 0 && size+n > s.p.maxRequest {
			kept = append(kept, q)
			continue
		}
		size += n
		s.batches = append(s.batches, outgoing{q, q.take()})
	}
	clear(s.waiting[len(kept):])
	s.waiting = kept
	return 0
}

// earliest returns how long nothing is due, and whether that is nothing because
// there is plenty to send.
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

// sleep waits for a nudge, at most as long as given. It returns false at the
// Producer's end.
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
	case <-s.nudged:
	case <-s.timer.C:
	case <-s.p.ctx.Done():
		return false
	}
	s.mu.Lock()
	s.wakeAt = time.Time{}
	s.mu.Unlock()
	return true
}

// prepare makes the batches what they are on the wire. One that was sent before
// stays as it is. It fails only at the Producer's end.
func (s *sender) prepare() error {
	s.packAll()
	for i := range s.batches {
		q, b := s.batches[i].queue, s.batches[i].batch
		if b.Finished() {
			continue
		}
		if q.producer == noProducer {
			identity, err := s.p.identity(s.p.ctx)
			if err != nil {
				return err
			}
			q.producer, q.sequence = identity, 0
		}
		b.Finish(q.producer, q.sequence)
	}
	return nil
}

// packAll compresses the batches that are not, on as many processors as there
// are.
func (s *sender) packAll() {
	if !slices.ContainsFunc(s.batches, outgoing.unpacked) {
		return
	}
	var next atomic.Int32
	work := func() {
		for {
			i := int(next.Add(1)) - 1
			if i >= len(s.batches) {
				return
			}
			if o := s.batches[i]; o.unpacked() {
				if err := o.batch.Pack(o.queue.topic.compression(), s.p.buffers); err != nil {
					s.p.log.Error(err, "a batch is sent uncompressed", "topic", o.queue.topic.name)
				}
			}
		}
	}
	var helpers sync.WaitGroup
	for range min(len(s.batches), runtime.GOMAXPROCS(0)) - 1 {
		helpers.Go(work)
	}
	work()
	helpers.Wait()
}

// send sends the batches and returns the answer. Until it returns, their memory
// is in use.
func (s *sender) send() (*produceResponse, error) {
	slices.SortFunc(s.batches, func(a, b outgoing) int {
		return cmp.Or(
			cmp.Compare(a.queue.topic.name, b.queue.topic.name),
			cmp.Compare(a.queue.partition, b.queue.partition),
		)
	})
	req := &produceRequest{
		broker:   s.broker,
		clientID: s.p.client.cfg.ClientID,
		out:      s.out,
		batches:  make([]producedBatch, len(s.batches)),
	}
	for i, o := range s.batches {
		req.batches[i] = producedBatch{topic: o.queue.topic.name, partition: o.queue.partition, bytes: o.batch.Encoded()}
	}
	return s.p.client.produce(s.p.ctx, req)
}
