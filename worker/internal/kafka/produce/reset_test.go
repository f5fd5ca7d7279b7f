package produce

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/testkit"
)

// holdAnswers makes kfake answer no produce request until the test releases them.
func (w *transacting) holdAnswers(faults *kfake.Cluster) (held *atomic.Int32, release func()) {
	held, released := &atomic.Int32{}, make(chan struct{})
	faults.ControlKey(int16(kmsg.Produce), func(kmsg.Request) (kmsg.Response, error, bool) {
		faults.KeepControl()
		faults.SleepControl(func() {
			held.Add(1)
			<-released
		})
		return nil, nil, false
	})
	release = sync.OnceFunc(func() { close(released) })
	w.t.Cleanup(release)
	return held, release
}

// expectEmpty expects that nothing is queued or in flight.
func (w *transacting) expectEmpty() {
	w.t.Helper()
	if records, bytes := w.p.Buffered(); records != 0 || bytes != 0 || w.p.memory.used.Load() != 0 {
		w.t.Errorf("%d records of %d bytes are left, %d bytes are reserved", records, bytes, w.p.memory.used.Load())
	}
}

// A broker that does not answer must not hold up a reset.
func TestResetCancelsWhatIsInFlight(t *testing.T) {
	w, fake := newTroubled(t, Config{})
	w.begin()
	held, release := w.holdAnswers(fake.Faults)
	w.write(0, 10)
	w.write(1, 10)
	testkit.Await(t, "both brokers have requests", func() bool { return held.Load() == 2 })
	begun := time.Now()
	w.p.Reset()
	if took := time.Since(begun); took > 10*time.Second {
		t.Errorf("the reset took %v", took)
	}
	w.expectEmpty()
	release()
	w.begin()
	first, second := w.write(0, 10), w.write(1, 10)
	w.commit()
	w.expectCommitted(0, first)
	w.expectCommitted(1, second)
	w.expectClean()
	if w.settled() != 2 {
		t.Errorf("%d records are settled, want 2", w.settled())
	}
}

// Records wait for their leader, for their backoff and behind a refused batch when they are
// dropped. Later ones are written all the same.
func TestResetEmptiesQueuesInTrouble(t *testing.T) {
	for _, code := range []*kerr.Error{kerr.NotEnoughReplicas, kerr.NotLeaderForPartition, kerr.LeaderNotAvailable} {
		t.Run(code.Message, func(t *testing.T) {
			w, fake := newTroubled(t, Config{MaxBatchBytes: 500})
			w.begin()
			var last int32
			for range 5 {
				faults := fake.Faults.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.Produce}, Topic: "out", Err: code, Count: -1})
				hits := faults.Hits()
				for range 10 {
					w.write(0, 200)
				}
				testkit.Await(t, "it is refused", func() bool { return faults.Hits() > hits })
				w.p.Reset()
				w.expectEmpty()
				faults.Remove()
				w.begin()
				last = w.write(0, 10)
				testkit.Await(t, "the next one is written", func() bool { return w.acknowledged(last) })
			}
			w.commit()
			w.expectCommitted(0, last)
			w.expectClean()
		})
	}
}

func (w *writing) acknowledged(n int32) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	_, ok := w.acks[n]
	return ok
}

// Reset returns after the last call of OnAck.
func TestResetWaitsForOnAck(t *testing.T) {
	w, _ := newTroubled(t, Config{})
	w.begin()
	entered, proceed := make(chan struct{}), make(chan struct{})
	w.onAck = func(*Ack) {
		close(entered)
		<-proceed
	}
	w.write(0, 10)
	<-entered
	done := make(chan struct{})
	go func() {
		w.p.Reset()
		close(done)
	}()
	testkit.Await(t, "the reset has begun", func() bool { return w.p.transactions.current.Load() == nil })
	select {
	case <-done:
		t.Error("a reset is over while OnAck runs")
	case <-time.After(20 * time.Millisecond):
	}
	close(proceed)
	<-done
	w.onAck = nil
	w.begin()
}

// Appenders wait for memory that only a broker's answer frees: while they are to be kept
// out, when the transaction is doomed, and when its records are dropped, they go on.
func TestAppendersAreReleased(t *testing.T) {
	for name, act := range map[string]func(*transacting){
		"cut": func(w *transacting) { w.p.PrepareCut() },
		"doom": func(w *transacting) {
			w.p.transactions.doom(w.p.transactions.current.Load(), doomedUnknown, errLongAway)
		},
		"reset": func(w *transacting) { w.p.Reset() },
	} {
		t.Run(name, func(t *testing.T) {
			w, fake := newTroubled(t, Config{MaxBatchBytes: 10_000, MaxBufferedBytes: 32 << 10})
			w.begin()
			_, release := w.holdAnswers(fake.Faults)
			appended := make(chan struct{})
			go func() {
				defer close(appended)
				for range 10 { // of which a few have room
					w.write(0, 5000)
				}
			}()
			testkit.Await(t, "memory is used up", func() bool { return w.p.memory.blocked.Load() == 1 })
			testkit.Await(t, "the appender goes on", func() bool {
				act(w)
				select {
				case <-appended:
					return true
				default:
					return false
				}
			})
			release()
			w.p.Cut()
			w.p.Reset()
			if w.p.memory.unbounded.Load() {
				t.Error("records may still go beyond the budget")
			}
			w.expectEmpty()
		})
	}
}
