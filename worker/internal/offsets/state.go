package offsets

// Range holds the offsets from First up to, but not including, Next.
type Range struct{ First, Next int64 }

// State is the content of a committed offset's metadata.
type State struct {
	// Settled holds the settled offsets above the watermark, as ascending ranges
	// that don't touch.
	Settled []Range
	// Origin identifies the log of the offset.
	Origin Origin
	Marks
}

// Origin identifies the log that a committed offset belongs to, and the group's first
// start. It stays the same while the group reads on in the partition.
type Origin struct {
	// TopicID is the id of the topic, or zero if it is unknown. A topic that is
	// created again under its name has another id, and other records at its offsets.
	TopicID [16]byte
	// FirstPartitions is the number of partitions that the topic had at the group's
	// first start, and FirstStart the time of that start, in milliseconds since 1970.
	// Both are 0 unless the group began at the end of its partitions then. Only
	// partitions below FirstPartitions begin at that time.
	FirstPartitions int32
	FirstStart      int64
}

// Unsettled returns the number of unsettled offsets from the watermark up to next.
func (s *State) Unsettled(watermark, next int64) int64 {
	n := max(next-watermark, 0)
	for _, r := range s.Settled {
		n -= max(min(r.Next, next)-r.First, 0)
	}
	return n
}

// add appends a range, or extends the last one if they touch.
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
