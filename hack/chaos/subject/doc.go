// Package subject has the programs that a chaos run examines, each in a separate process:
// Millrace's worker, and loops as users of kafka-go and franz-go write them. All do the
// same with a record (package workload).
package subject
