package engine

import "sync"

// gate lets a member's committer divide the results between two transactions. The
// results of one record must not come to be in both, and no result of a partition that
// is given up may be written after its last commit. So whoever writes results goes
// through a door, checks there that they still count, and writes all results of a record
// before it leaves the door.
type gate struct {
	mu    sync.Mutex
	doors []*door // guarded by mu
}

// door is the way of one goroutine through a gate. A door for each goroutine costs less
// than a lock that all of them share.
type door struct {
	sync.Mutex
	_ [56]byte // the rest of a cache line
}

// newDoor adds a door. Doors are not removed: a goroutine that has ended leaves its
// door open.
func (g *gate) newDoor() *door {
	g.mu.Lock()
	defer g.mu.Unlock()
	d := &door{}
	g.doors = append(g.doors, d)
	return d
}

// alone runs do while nobody is in a door. It waits for those who are: a goroutine that
// waits for the producer's memory leaves its door when records are acknowledged, or when
// its partition is given up.
func (g *gate) alone(do func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, d := range g.doors {
		d.Lock()
		defer d.Unlock()
	}
	do()
}
