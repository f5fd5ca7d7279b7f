// Package plan decides what the operator does for a StreamProcessor. From one
// observation it makes the objects to apply, the number of pods with the reason for
// it, and the conditions. It is pure: no client, no clock, no context. The reconciler
// observes before it, and applies and reports after it.
package plan
