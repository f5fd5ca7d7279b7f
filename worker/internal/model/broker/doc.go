// Package broker simulates a Kafka cluster for the model of the worker: logs with
// producers' epochs and sequences, transactions of versions 1 and 2, and the offsets of
// consumer groups.
//
// A Cluster is a value without goroutines and clocks. Whoever drives it decides when the
// coordinator completes a transaction that has been prepared, when one times out, and
// which answer gets lost; the search of small scopes copies it before each step. A Server
// puts one behind connections in memory, for whole workers.
//
// TestSimulationAgreesWithKafka sends the same requests to a Server and to Apache Kafka,
// and compares the answers.
package broker
