package sidecar

// maxSuspects bounds the memory for records that never come again, because their partition
// has moved. Suspects that are forgotten cost their neighbours an attempt at most.
const maxSuspects = 10_000

// suspects are records that were alone in their call when a process ended, and not alone in
// the process, or that ran out of time beside others. Their next call has a process for itself, so that a second end tells which
// one is at fault.
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
	at.topic = string([]byte(at.topic)) // the record's memory is borrowed
	(*s)[at] = struct{}{}
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
