package scaling

import (
	"cmp"
	"slices"
	"time"
)

// Sample is one answer of Kafka, together with the state of the pods at that time.
type Sample struct {
	// At is the time of Kafka's answer.
	At time.Time
	// Replicas is the number of pods that were asked for, Ready the number of those
	// that were ready.
	Replicas, Ready int32
	// CPU is the mean limit of the ready pods, 0 if it is unknown.
	CPU CPU
	// Saturation is the mean share of the workers' pools that was busy, from 0 to 1;
	// below 0 if it is unknown.
	Saturation float64
	// Rebalancing is set if the workers reported a rebalance of the group.
	Rebalancing bool
	// Partitions are those of the input topic, in any order.
	Partitions []Partition
	// StartsLatest is set if a partition without a committed offset would be read
	// from its end. Otherwise it would be read from its start.
	StartsLatest bool
	// Stuck are the partitions that the workers reported as waiting for one record.
	Stuck []int32
}

// Partition holds the offsets of one partition.
type Partition struct {
	ID int32
	// Start is the first offset that Kafka still has, End the offset of the next
	// record.
	Start, End int64
	// Committed is the offset that the group has committed, -1 if there is none.
	Committed int64
}

// from returns the offset at which processing would start.
func (s *Sample) from(p Partition) int64 {
	switch {
	case p.Committed >= 0:
		// Kafka may have deleted the committed offset since.
		return min(max(p.Committed, p.Start), p.End)
	case s.StartsLatest:
		return p.End
	default:
		return p.Start
	}
}

// totalLag returns the number of unprocessed offsets in all partitions.
func (s *Sample) totalLag() (sum int64) {
	for _, p := range s.Partitions {
		sum += s.lag(p)
	}
	return sum
}

// lag returns the number of unprocessed offsets of p.
func (s *Sample) lag(p Partition) int64 { return max(0, p.End-s.from(p)) }

// partition finds a partition by its number.
func (s *Sample) partition(id int32) (Partition, bool) {
	if int(id) < len(s.Partitions) && s.Partitions[id].ID == id {
		return s.Partitions[id], true
	}
	i, ok := slices.BinarySearchFunc(s.Partitions, id, func(p Partition, id int32) int { return cmp.Compare(p.ID, id) })
	if !ok {
		return Partition{}, false
	}
	return s.Partitions[i], true
}
