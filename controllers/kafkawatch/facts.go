package kafkawatch

import (
	"slices"
	"time"
)

// Facts describe a StreamProcessor's topics and group. Their slices are shared and must not
// be modified.
type Facts struct {
	// At is the time at which the cluster last answered all requests, zero before the
	// first time. The other fields, except Err and Since, are from that time.
	At time.Time
	// Err is the error of the last requests, nil if the cluster answered. Test it with
	// errors.Is for kafka.ErrUnreachable and kafka.ErrNotAuthorized. kafka.Refused
	// reports whether somebody has to change a configuration.
	Err error
	// Since is the time of the first of the failures in a row that ended with Err.
	Since time.Time
	// Partitions are those of the input topic, by number. They stay unchanged while the
	// topic is missing.
	Partitions []Partition
	// Unknown are the partitions whose Start and End the cluster can't report, for
	// example while they have no leader. Partitions then holds their last known
	// Start and End, or the committed offset in both if none was ever known.
	Unknown []int32
	// Gone are the partitions whose committed offset has expired or was deleted. A
	// commit removes a partition from the list.
	Gone []int32
	// Missing are the topics that don't exist, the input topic first if it is one of
	// them. A missing topic is not an error.
	Missing []string
	// MissingSince is the time from which on at least one topic has been missing.
	MissingSince time.Time
}

// Partition holds the offsets of one partition.
type Partition struct {
	// Start is the first offset that Kafka still has.
	Start int64
	// End is the offset of the next record.
	End int64
	// Committed is the offset that the group has committed, -1 if there is none.
	Committed int64
}

func (f *Facts) hasOffsets() bool {
	return slices.ContainsFunc(f.Partitions, func(p Partition) bool { return p.Committed >= 0 })
}

// Sample holds the partitions at a time. Its slice is shared and must not be modified.
type Sample struct {
	At         time.Time
	Partitions []Partition
}

// Deletion is the progress of the deletion of a consumer group.
type Deletion struct {
	// Done is set if the group no longer exists.
	Done bool
	// Err is the error of the last attempt, after which the Watcher tries again; nil
	// before the first attempt has ended.
	Err error
}
