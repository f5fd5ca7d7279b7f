package dispatch

import "slices"

// A key whose record failed or is slow gets a separate lane, a lane aside, so that
// only its own records wait. The lane is made when the key's trouble begins and
// removed when it is empty: partitions without trouble only look at an empty map with
// each claim. The key's later records are still sorted into the shared lanes, and
// move to the lane aside when they are about to be claimed there. So the records
// aside are always older than the key's other records, and its order is kept.

// addAside makes a lane for a key, held by whoever runs the key's record. Needs mu.
func (l *Lanes) addAside(key uint64) *lane {
	if l.aside == nil {
		l.aside = make(map[uint64]*lane)
	}
	aside := &lane{set: l, alone: true, key: key, state: laneRunning}
	l.aside[key] = aside
	return aside
}

// asideOf returns the lane aside of an item's key, or nil. Needs mu.
func (l *Lanes) asideOf(it Item) *lane {
	key := it.Record().Key
	if key == nil {
		return nil
	}
	return l.aside[hash(key)]
}

// takeOthers appends up to n items of the lane to dst. Items whose keys have lanes
// aside move there instead.
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
