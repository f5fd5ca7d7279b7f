// Package engine joins the stages of a worker into one data path: a member of
// the consumer group is assigned partitions, its feeder decodes what was
// fetched into chunks and dispatches them, the pool runs the processor, outputs
// go to the producer, acknowledgements settle records, and the committer
// commits what is settled.
//
// Each member has one feeder goroutine, which alone decides what is read and
// when a partition is given up; everything else reports to it.
package engine
