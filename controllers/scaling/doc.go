// Package scaling decides how many pods a StreamProcessor needs: a History of
// what Kafka and the workers said goes in, a number and the reason for it come
// out. It does no I/O and reads no clock, so the same input gives the same
// Decision, and all that it knows of the past is in the History.
//
// The operator appends a Sample whenever Kafka has answered and asks Decide in
// each reconcile. A History that is empty, as after a restart of the operator,
// scales nothing down until it covers Policy.DownWindow.
package scaling
