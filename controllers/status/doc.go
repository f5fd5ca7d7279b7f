// Package status has the table of a StreamProcessor's conditions and their reasons. The
// reconciler, the tests and the documentation use it. A reconciliation sets the
// conditions at its end and writes them once.
//
// The conditions follow the rules of kstatus, which kubectl wait, Argo CD and Flux use:
// Ready is True when the StreamProcessor is as its spec asks, Reconciling while the
// operator works on that, Stalled when a user has to act. Reconciling, Stalled and the
// conditions about troubles are listed only while they are True, so that a user sees
// nothing else.
package status
