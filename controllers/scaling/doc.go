// Package scaling decides how many pods a StreamProcessor needs and how much CPU each
// pod gets. Its input is a History of the answers of Kafka and of the workers; its
// output is a Decision, which holds the numbers and the reason for them. The package
// does no I/O and reads no clock, so the same input always gives the same Decision. It
// remembers the past only in the History.
//
// The operator appends a Sample whenever Kafka has answered, and calls Decide in each
// reconciliation. After a restart the operator's History is empty. Decide then takes
// no pods away until the History covers Policy.DownWindow, or until it confirms what
// an earlier History had learned (see History.Restore).
package scaling
