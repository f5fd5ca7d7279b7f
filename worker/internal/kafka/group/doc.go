// Package group is a member of a consumer group: it joins, sends heartbeats, takes and gives
// up partitions, and commits their offsets.
//
// It stands at both ends of the data path: an Assignment says which partitions are read, and
// each commit carries the Assignment that it belongs to.
package group
