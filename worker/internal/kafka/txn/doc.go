// Package txn speaks Kafka's transaction protocol for one producer: it gets the producer's
// identity, adds partitions and offsets to the present transaction, and commits or aborts
// it. The producer (package produce) writes the records, and the group member (package
// group) knows under which generation offsets may be committed.
//
// A Session never guesses. If a request may have been done, the error is ErrUnknown, and the
// only way on is another Session for the same id: Open ends the transaction that may be
// open, and fences the requests that are still on their way.
package txn
