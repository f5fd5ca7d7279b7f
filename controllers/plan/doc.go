// Package plan decides what is to be done for a StreamProcessor: from what was
// observed it makes the objects that are to exist, the number of pods with the
// reason for it, and the conditions. It is pure: no client, no clock, no context.
// The reconciler observes before it, and carries out and reports after it.
package plan
