// Package status holds the conditions of a StreamProcessor and their reasons:
// one table, from which the reconciler, the tests and the documentation take
// them. It comes last in a reconciliation: what was observed and planned is put
// into words here, and written once.
//
// The conditions keep to what kstatus expects (kubectl wait, Argo CD and Flux go
// by it): Ready is True when what was asked for is reached, Reconciling while it
// is being worked on, Stalled when it needs somebody to act. The last two and
// those that name a trouble are there only while they are True, so that what is
// listed is what matters.
package status
