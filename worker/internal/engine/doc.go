// Package engine joins the stages of a worker into one data path. A member of the
// consumer group is assigned partitions. Its feeder decodes fetched data into chunks
// and dispatches them, the pool runs the processor, the producer writes the outputs,
// acknowledgements settle the records, and the committer commits their offsets.
//
// Each member has one feeder goroutine. It alone decides which data is read and when
// a partition is given up; everything else reports to it. The feeder's state is
// reachable from this goroutine only: others have its mailbox.
package engine
