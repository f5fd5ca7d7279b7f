// Package workload defines the records of a chaos run: what each holds, what a worker
// makes of it, and what must be found in the output and among the dead letters in the
// end. Everything about a record follows from its ID, so the generator, the workers and
// the checker share nothing else.
package workload
