// Package offsets tracks which records of a partition are settled, and encodes
// that into the metadata of a committed offset.
//
// It stands behind the acknowledgements: the feeder admits a span for each
// chunk of records it dispatches, results settle the span's records, and the
// committer takes checkpoints. Settling costs atomics only; the tracker's lock
// is taken for each span and each checkpoint.
package offsets
