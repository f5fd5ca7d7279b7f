// Package failure decides what happens to a record whose attempt has failed: another
// attempt after a backoff, the dead-letter topic, a drop, or a halt of its partition. It
// also makes dead letters and their headers.
//
// It stands beside the pool. Only failed records come here, so it is not on the hot
// path. Its decisions are pure; the engine carries them out.
package failure
