// Package offsets tracks which records of a partition are settled, and encodes this
// into the metadata of a committed offset.
//
// In the data path it follows the acknowledgements. The feeder admits a span for each
// chunk of records that it dispatches, results settle the span's records, and the
// committer takes checkpoints. Settling a record costs atomic operations only. The
// tracker takes its lock for each span and each checkpoint.
package offsets
