// Package failure decides what happens to a record whose attempt has failed:
// another attempt after a backoff, the dead-letter topic, dropping it, or
// halting its partition. It also describes a dead letter by its headers.
//
// It stands beside the pool: only records that fail come here, so nothing of
// it is on the hot path. Deciding is pure; the engine carries it out.
package failure
