package broker

import "slices"

// table is a small map in the order of its keys. Copying one takes no memory when the copy
// replaces an older one.
type table[K comparable, V any] []entry[K, V]

type entry[K comparable, V any] struct {
	key   K
	value *V
}

// get returns the value of a key, nil if there is none.
func (t table[K, V]) get(key K) *V {
	for i := range t {
		if t[i].key == key {
			return t[i].value
		}
	}
	return nil
}

// put adds a key that is not there yet.
func (t *table[K, V]) put(key K, value *V, compare func(a, b K) int) {
	at, _ := slices.BinarySearchFunc(*t, key, func(e entry[K, V], key K) int { return compare(e.key, key) })
	*t = slices.Insert(*t, at, entry[K, V]{key, value})
}

// copy makes t a copy of from. copyValue makes one value a copy of another one.
func (t *table[K, V]) copy(from table[K, V], copyValue func(to, from *V)) {
	*t = slices.Grow((*t)[:0], len(from))[:len(from)]
	for i := range from {
		e := &(*t)[i]
		if e.value == nil {
			e.value = new(V)
		}
		e.key = from[i].key
		copyValue(e.value, from[i].value)
	}
}
