package scaling

import "time"

// Sample is what was known at a time: the answer of Kafka, and beside it the
// pods as they were then.
type Sample struct {
	// At is when Kafka answered.
	At time.Time
	// Replicas is how many pods there were to be, Ready how many were ready.
	Replicas, Ready int32
	// CPU is the limit that the ready pods have in the mean; 0 if it is not known.
	CPU CPU
	// Saturation is the mean share of the workers' pools that was busy, 0 to 1;
	// below 0 if it is not known.
	Saturation float64
	// Rebalancing: the workers said that the group is between two generations.
	Rebalancing bool
	// Partitions are those of the input topic, in any order.
	Partitions []Partition
	// StartsLatest: a partition without a committed offset would be read from
	// its end, not from its start.
	StartsLatest bool
	// Stuck are the partitions that the workers named as waiting for one record.
	Stuck []int32
}

// Partition is how far one partition goes and is processed.
type Partition struct {
	ID int32
	// Start is the first offset that is still there, End that of the next
	// record.
	Start, End int64
	// Committed is what the group has committed, -1 for nothing.
	Committed int64
}

// from is the offset that processing would start from.
func (s *Sample) from(p Partition) int64 {
	switch {
	case p.Committed >= 0:
		// What was committed may have been deleted by now.
		return min(max(p.Committed, p.Start), p.End)
	case s.StartsLatest:
		return p.End
	default:
		return p.Start
	}
}

// totalLag is how many offsets are not processed in all partitions.
func (s *Sample) totalLag() (sum int64) {
	for _, p := range s.Partitions {
		sum += s.lag(p)
	}
	return sum
}

// lag is how many offsets of p are not processed.
func (s *Sample) lag(p Partition) int64 { return max(0, p.End-s.from(p)) }
