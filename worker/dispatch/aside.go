package dispatch

import "slices"

// A key whose record failed or is slow gets a lane of its own aside, so that
// only its own records wait. It is made when its trouble begins and goes when it
// is empty: partitions without trouble pay for a look at an empty map with each
// claim. The key's later records are still sorted into the shared lanes, and are
// moved as they come to be claimed from there. So their order is that of the
// lanes: what is aside is older than what is not.

// addAside makes a lane for a key, held by whoever runs the key's record. Needs mu.
func (l *Lanes) addAside(key uint64) *lane {
	if l.aside == nil {
		l.aside = make(map[uint64]*lane)
	}
	aside := &lane{set: l, alone: true, key: key, state: laneRunning}
	l.aside[key] = aside
	return aside
}

// asideOf returns the lane aside that an item's key has, or nil. Needs mu.
func (l *Lanes) asideOf(it Item) *lane {
	key := it.Record().Key
	if key == nil {
		return nil
	}
	return l.aside[hash(key)]
}

// takeOthers appends up to n items of the lane to dst, and moves those on the way
// whose keys have lanes aside.
func (p *Pool) takeOthers(dst []Item, l *lane, n int) []Item {
	end := len(dst) + n
	for len(dst) < end && l.waiting > 0 {
		kept := len(dst)
		dst = l.take(dst, end-kept)
		for _, it := range dst[kept:] {
			if aside := l.set.asideOf(it); aside != nil {
				p.pushTo(aside, single(it))
				continue
			}
			dst[kept] = it
			kept++
		}
		dst = dst[:kept]
	}
	return dst
}

// detour makes a lane aside for the key of an item that has failed, moves r's
// later items of that key there, and returns it.
func (r *runner) detour(it Item) *lane {
	from, key := it.lane, hash(it.Record().Key)
	r.pool.mu.Lock()
	defer r.pool.mu.Unlock()
	aside := from.set.addAside(key)
	r.lanes = append(r.lanes, turn{lane: aside})
	for i := r.pos; i < len(r.items); i++ {
		if next := &r.items[i]; next.lane == from && from.set.asideOf(*next) == aside {
			next.lane = aside
		}
	}
	return aside
}

// isolate makes lanes aside for the keys that r is working on, so that the other
// keys of their lanes need not wait for r. Needs mu.
func (p *Pool) isolate(r *runner) {
	shared := func(it Item) bool { return it.lane != nil && it.lane.set.keys != nil && !it.lane.alone }
	begun := r.pos + r.group
	if !slices.ContainsFunc(r.items[r.pos:begun], shared) {
		return
	}
	r.items = slices.Clone(r.items) // the attempt under way may be reading the old ones
	for i := r.pos; i < len(r.items); i++ {
		it := &r.items[i]
		if !shared(*it) {
			continue
		}
		set := it.lane.set
		switch aside := set.asideOf(*it); {
		case aside != nil:
			it.lane = aside
		case i >= begun:
		case it.Record().Key == nil:
			it.lane = nil
		default:
			it.lane = set.addAside(hash(it.Record().Key))
			r.lanes = append(r.lanes, turn{lane: it.lane})
		}
	}
}
