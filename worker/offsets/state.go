package offsets

// Range is the offsets from First up to, not including, Next.
type Range struct{ First, Next int64 }

// State is what the metadata of a committed offset says beyond the offset.
type State struct {
	// Settled is what is settled above the watermark: ascending ranges that
	// don't touch.
	Settled []Range
	// Open says that the partition was being worked on at the commit.
	Open bool
	// Attempting is the window of records that was about to be tried when the
	// commit was made, in careful reading; nil in normal reading.
	Attempting *Attempt
}

// Attempt is a window of records and how many crashes it is known for.
type Attempt struct {
	First, Next int64
	Crashes     int
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
