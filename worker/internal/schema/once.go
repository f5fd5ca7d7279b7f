package schema

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/millrace-dev/millrace/worker/internal/failure"
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
	swept   time.Time  // when the errors were looked through; guarded by mu
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
	o.sweep()
	e := &entry[V]{done: make(chan struct{})}
	o.entries.Store(key, e)
	go func() {
		defer close(e.done)
		e.value, e.err = o.answer(key)
		e.at = time.Now()
	}()
	return e
}

// answer asks for the value of a key. Others wait for the answer too, so it does not end with
// one of them. A panic, of a compiler of schemas for example, is not the end of the worker.
func (o *once[K, V]) answer(key K) (value V, err error) {
	defer func() {
		if v := recover(); v != nil {
			err = failure.Permanent(fmt.Errorf("%v: panic: %v", key, v))
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	return o.ask(ctx, key)
}

// sweep drops old errors now and then: values with wrong keys would fill the memory with them.
// The caller holds mu.
func (o *once[K, V]) sweep() {
	if time.Since(o.swept) < retryAfter {
		return
	}
	o.swept = time.Now()
	o.entries.Range(func(key, _ any) bool {
		if _, usable := o.load(key.(K)); !usable {
			o.entries.Delete(key)
		}
		return true
	})
}
