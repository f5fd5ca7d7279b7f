// Package check judges a chaos run by what can be read from Kafka: the input as it was
// written, everything in the output and among the dead letters, and samples of the
// group's commits. It does no I/O, so tests feed it logs made by hand.
package check
