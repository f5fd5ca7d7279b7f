package kafkawatch

import (
	"slices"
	"time"
)

// Facts are what is known of a StreamProcessor's topics and group. What its
// slices refer to is shared and must not be written to.
type Facts struct {
	// At is when the cluster last answered all that was asked. It is zero until
	// it has; the rest but Err and Since is of that time.
	At time.Time
	// Err is why the last questions were not answered, nil if they were. Ask it
	// for kafka.ErrUnreachable and kafka.ErrNotAuthorized with errors.Is, and
	// kafka.Refused whether it takes a change of somebody's configuration.
	Err error
	// Since is when the failures began that Err is the last of.
	Since time.Time
	// Partitions are the input topic's, by their number. While the topic is
	// missing they stay as they were.
	Partitions []Partition
	// Unknown are the partitions whose Start and End the cluster can't give, for
	// example while they have no leader. Partitions then holds their last known
	// Start and End, or the committed offset in both if none was ever known.
	Unknown []int32
	// Gone are the partitions whose committed offset has expired or was deleted. A
	// commit takes a partition off the list.
	Gone []int32
	// Missing are the topics that don't exist, the input topic first if it is
	// one. A missing topic is no error.
	Missing []string
	// MissingSince is when the first of Missing was found to be missing.
	MissingSince time.Time
}

// Partition is how far one partition goes and is processed.
type Partition struct {
	// Start is the first offset that is still there.
	Start int64
	// End is the offset of the next record.
	End int64
	// Committed is what the group has committed, -1 for nothing.
	Committed int64
}

func (f *Facts) hasOffsets() bool {
	return slices.ContainsFunc(f.Partitions, func(p Partition) bool { return p.Committed >= 0 })
}

// Sample is the partitions as they were at a time. What it refers to is shared
// and must not be written to.
type Sample struct {
	At         time.Time
	Partitions []Partition
}

// Deletion is how far the deletion of a consumer group has come.
type Deletion struct {
	// Done: the group does not exist any more.
	Done bool
	// Err is why the last try failed; it is tried again. nil before the first.
	Err error
}
