// Package dispatch runs records on a pool of goroutines. It queues the chunks that
// the feeder has decoded, keeps the ordering that the StreamProcessor asks for, and
// hands groups of records to the user's code under a deadline.
//
// In the data path it stands between decoding and producing. Its cost for each
// record is small: pushing several chunks takes one lock, and so does each claim of
// up to maxClaim records. A single record costs no lock, no channel operation and no
// allocation.
//
// The pool's state has four owners. The backlog holds the records that no goroutine
// has claimed, and the crew keeps count of the goroutines; Pool.mu guards both. A
// runner is one goroutine with its claim. The watchdog looks after attempts that
// take long.
package dispatch
