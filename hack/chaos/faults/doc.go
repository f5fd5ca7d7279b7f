// Package faults has the faults that a chaos run puts in force on Kafka's side: of brokers,
// leaders, coordinators, networks and permissions. The driver decides when each begins and
// ends; faults of different classes overlap.
//
// A fault leaves the cluster able to recover: one broker at most is down at a time, since
// all such faults are of one class and end only when all replicas are in sync again.
package faults
