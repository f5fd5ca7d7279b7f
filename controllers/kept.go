package controllers

import (
	"sync"

	"k8s.io/apimachinery/pkg/types"
)

// kept holds a T for each StreamProcessor from one reconciliation to the next. An
// operator that starts again rebuilds all of it; the status keeps the parts that matter
// of autoscaling's history. A T belongs to the reconciliation under way: there is one
// at a time for each StreamProcessor.
type kept[T any] struct {
	mu sync.Mutex
	of map[types.NamespacedName]*T // guarded by mu
}

// get returns the T of a StreamProcessor, at first the zero T.
func (k *kept[T]) get(key types.NamespacedName) *T {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.of == nil {
		k.of = make(map[types.NamespacedName]*T)
	}
	if k.of[key] == nil {
		k.of[key] = new(T)
	}
	return k.of[key]
}

func (k *kept[T]) forget(key types.NamespacedName) {
	k.mu.Lock()
	defer k.mu.Unlock()
	delete(k.of, key)
}
