package signal

import (
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestLockExcludes(t *testing.T) {
	l, counted := NewLock(), 0
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 1000 {
				l.Lock()
				counted++
				l.Unlock()
			}
		})
	}
	all.Wait()
	if counted != 8000 {
		t.Errorf("counted %d under the lock, want 8000", counted)
	}
}

// TestAVirtualClockGoesOnBehindALock: a holder that waits is not stopped by others that
// wait for its lock.
func TestAVirtualClockGoesOnBehindALock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, shared := NewLock(), NewSharedLock()
		l.Lock()
		shared.RLock()
		var taken atomic.Int32
		for _, lock := range []sync.Locker{l, shared} {
			go func() {
				lock.Lock()
				defer lock.Unlock()
				taken.Add(1)
			}()
		}
		time.Sleep(time.Minute)
		if n := taken.Load(); n > 0 {
			t.Errorf("%d locks were taken while they were held", n)
		}
		l.Unlock()
		shared.RUnlock()
		synctest.Wait()
		if n := taken.Load(); n != 2 {
			t.Errorf("%d locks were taken, want 2", n)
		}
	})
}

func TestSharedLock(t *testing.T) {
	l := NewSharedLock()
	l.RLock()
	l.RLock() // with another reader
	written := make(chan struct{})
	go func() {
		l.Lock()
		close(written)
		l.Unlock()
	}()
	l.RUnlock()
	select {
	case <-written:
		t.Fatal("a writer has the lock together with a reader")
	case <-time.After(10 * time.Millisecond):
	}
	l.RUnlock()
	<-written
	l.RLock() // after the writer
	defer l.RUnlock()
}
