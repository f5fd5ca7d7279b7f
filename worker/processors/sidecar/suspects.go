package sidecar

import (
	"strings"
	"time"
)

// maxSuspects bounds the memory for records that never come again, because their partition
// has moved. Suspects that are forgotten cost their neighbours an attempt at most.
const maxSuspects = 10_000

// suspects are records that were alone in their call when a process ended, and not alone in
// the process, or that ran out of time beside others. Their next call has a process for
// itself, so that a second end tells which one is at fault.
type suspects map[place]struct{}

// place names a record.
type place struct {
	topic     string
	partition int32
	offset    int64
}

// placeOf returns the place of the record of a call; ok is false for several records.
func placeOf(c *call) (place, bool) {
	if len(c.recs) != 1 {
		return place{}, false
	}
	rec := c.recs[0]
	return place{rec.Topic, rec.Partition, rec.Offset}, true
}

// kept returns a copy that lasts. The memory of a record is borrowed.
func (p place) kept() place {
	p.topic = strings.Clone(p.topic)
	return p
}

// has reports whether the call's only record is suspected.
func (s suspects) has(c *call) bool {
	if len(s) == 0 {
		return false
	}
	at, ok := placeOf(c)
	_, suspected := s[at]
	return ok && suspected
}

// add suspects the call's only record. It returns false if there are several.
func (s *suspects) add(c *call) bool {
	at, ok := placeOf(c)
	if !ok {
		return false
	}
	if *s == nil || len(*s) >= maxSuspects {
		*s = suspects{}
	}
	(*s)[at.kept()] = struct{}{}
	return true
}

// clear ends the suspicion of a record whose call has ended in a way that is known.
func (s suspects) clear(c *call) {
	if len(s) == 0 {
		return
	}
	if at, ok := placeOf(c); ok {
		delete(s, at)
	}
}

// reservation keeps calls away from a connection until it is empty, for a suspect that has to
// be alone there. places.mu guards it.
type reservation struct {
	at     place
	unused *time.Timer // ends it; nil while a call of the record waits
}

// newReservation returns one for the only record of a call.
func newReservation(c *call) *reservation {
	at, _ := placeOf(c)
	return &reservation{at: at.kept()}
}

// isFor reports whether a reservation is for the record of a call; nil is for none.
func (r *reservation) isFor(c *call) bool {
	if r == nil || !c.exclusive {
		return false
	}
	at, ok := placeOf(c)
	return ok && at == r.at
}

// use says that a call of the record waits.
func (r *reservation) use() {
	if r.unused != nil {
		r.unused.Stop()
		r.unused = nil
	}
}
