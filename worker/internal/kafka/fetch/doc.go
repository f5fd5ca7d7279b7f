// Package fetch reads the records of a topic's partitions from their leaders, and keeps the
// memory that they take within a bound.
//
// It is the start of the data path. A Fetcher has one long poll and one short request for
// each leader; it hands out sets of records that are still encoded, and notices when a
// topic, a leader or a log has changed.
package fetch
