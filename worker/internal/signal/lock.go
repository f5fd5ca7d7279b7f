package signal

import "sync"

// Lock is a lock that its holder may keep while it waits for brokers. Whoever waits for
// it waits for a channel, which a test on a virtual clock sees: behind a sync.Mutex its
// clock would stand still, and the holder would wait for ever.
type Lock chan struct{}

// NewLock returns a lock that nobody has.
func NewLock() Lock { return make(Lock, 1) }

// Lock takes the lock when it is free.
func (l Lock) Lock() { l <- struct{}{} }

// Unlock gives the lock back.
func (l Lock) Unlock() { <-l }

// SharedLock is a Lock that either many have for reading or one for writing. Readers do
// not overtake a writer that waits.
type SharedLock struct {
	writers Lock
	free    Signal // no reader has the lock

	mu      sync.Mutex
	readers int // guarded by mu
}

// NewSharedLock returns a lock that nobody has.
func NewSharedLock() *SharedLock { return &SharedLock{writers: NewLock(), free: New()} }

// RLock takes the lock for reading.
func (l *SharedLock) RLock() {
	l.writers.Lock()
	defer l.writers.Unlock()
	l.enter()
}

// TryRLock takes the lock for reading and reports true, unless a writer has the lock or
// waits for it.
func (l *SharedLock) TryRLock() bool {
	select {
	case l.writers <- struct{}{}:
	default:
		return false
	}
	defer l.writers.Unlock()
	l.enter()
	return true
}

func (l *SharedLock) enter() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.readers++
}

// RUnlock gives up the lock for reading.
func (l *SharedLock) RUnlock() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.readers--
	if l.readers == 0 {
		l.free.Notify()
	}
}

// Lock takes the lock for writing.
func (l *SharedLock) Lock() {
	l.writers.Lock()
	for l.isRead() {
		<-l.free
	}
}

// Unlock gives up the lock for writing.
func (l *SharedLock) Unlock() { l.writers.Unlock() }

func (l *SharedLock) isRead() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.readers > 0
}
