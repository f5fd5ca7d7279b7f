// Package kafkatest starts brokers for this project's tests: the embedded kfake for
// flows and injected faults, and Apache Kafka itself, with TLS, users and ACLs if a test
// needs them.
//
// It talks to them through franz-go, never through package kafka. So a client that shares
// no code with the worker reads the worker's results and writes its input. The package is
// not part of the data path, nor of any binary.
package kafkatest
