package schema

import (
	"context"
	"sync"
	"time"
)

// retryAfter is how long an error stands before the same thing is asked for again. It keeps
// many goroutines from asking a registry that is in trouble.
const retryAfter = time.Second

// fetchTimeout bounds one question with those that follow from it.
const fetchTimeout = 30 * time.Second

// once asks for each key one time and keeps the answer. An error is kept for a moment.
type once[K comparable, V any] struct {
	ask func(context.Context, K) (V, error)

	entries sync.Map   // of K to *entry[V]
	mu      sync.Mutex // of those who replace an entry
}

type entry[V any] struct {
	done  chan struct{} // closed when the fields below are set
	value V
	err   error
	at    time.Time
}

// of returns the value of a key. While it is asked for, of waits until ctx is done.
func (o *once[K, V]) of(ctx context.Context, key K) (V, error) {
	e, _ := o.load(key)
	if e == nil {
		e = o.begin(key)
	}
	select {
	case <-e.done:
		return e.value, e.err
	default:
	}
	select {
	case <-e.done:
		return e.value, e.err
	case <-ctx.Done():
		var none V
		return none, context.Cause(ctx)
	}
}

// load returns the entry that stands for the key. usable is false if there is none, or if its
// error is old.
func (o *once[K, V]) load(key K) (e *entry[V], usable bool) {
	found, ok := o.entries.Load(key)
	if !ok {
		return nil, false
	}
	e = found.(*entry[V])
	select {
	case <-e.done:
		if e.err != nil && time.Since(e.at) > retryAfter {
			return nil, false
		}
	default:
	}
	return e, true
}

// begin asks for the value, unless another goroutine has begun to.
func (o *once[K, V]) begin(key K) *entry[V] {
	o.mu.Lock()
	defer o.mu.Unlock()
	if e, usable := o.load(key); usable {
		return e
	}
	e := &entry[V]{done: make(chan struct{})}
	o.entries.Store(key, e)
	go func() {
		defer close(e.done)
		// Others wait for the answer too, so it does not end with one of them.
		ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
		defer cancel()
		e.value, e.err = o.ask(ctx, key)
		e.at = time.Now()
	}()
	return e
}
