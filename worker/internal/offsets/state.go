package offsets

// Range is the offsets from First up to, not including, Next.
type Range struct{ First, Next int64 }

// State is what the metadata of a committed offset says beyond the offset.
type State struct {
	// Settled is what is settled above the watermark: ascending ranges that
	// don't touch.
	Settled []Range
	// Origin says what the offset belongs to.
	Origin Origin
	Marks
}

// Origin says what a committed offset belongs to. It stays the same as long as
// the partition is read on.
type Origin struct {
	// TopicID is the id of the topic; zero for unknown. A topic that is created
	// again under its name has another one, and its offsets other records.
	TopicID [16]byte
	// FirstPartitions is how many partitions the topic had when the group was
	// first started, and FirstStart when that was, in milliseconds since 1970.
	// Both are 0 unless the group began at the end of its partitions then: only
	// partitions below FirstPartitions begin there.
	FirstPartitions int32
	FirstStart      int64
}

// Unsettled returns how many offsets from the watermark up to next are not
// settled.
func (s *State) Unsettled(watermark, next int64) int64 {
	n := max(next-watermark, 0)
	for _, r := range s.Settled {
		n -= max(min(r.Next, next)-r.First, 0)
	}
	return n
}

// add appends a range, joining it to the last one if they touch.
func (s *State) add(first, next int64) {
	if first >= next {
		return
	}
	if n := len(s.Settled); n > 0 && s.Settled[n-1].Next >= first {
		s.Settled[n-1].Next = max(s.Settled[n-1].Next, next)
		return
	}
	s.Settled = append(s.Settled, Range{first, next})
}
