// Package dispatch runs records on a pool of goroutines: it queues the chunks
// that the feeder has decoded, keeps the ordering that the StreamProcessor asks
// for, and hands groups of records to the user's code under a deadline.
//
// It stands between decoding and producing. Chunks cost one lock when they are
// queued together and a goroutine one lock for each claim of up to maxClaim
// records; nothing is locked, sent or allocated for each record.
package dispatch
