// Package assign distributes the partitions of topics among the members of a consumer group,
// as Java's CooperativeStickyAssignor does. It also holds the consumer protocol, in which
// members tell the group's leader what they own, and the leader tells members what they get.
// It does no input or output.
package assign
