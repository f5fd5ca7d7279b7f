// Package kafkatest gives this project's tests the brokers to run against: the
// embedded kfake for flows and injected faults, and Apache Kafka itself, with
// TLS, users and ACLs where a test asks for them.
//
// It talks to them through franz-go, never through package kafka: what the
// worker wrote is read, and what it reads was written, by a client that shares
// no code with it. It stands outside the data path and is not part of any
// binary.
package kafkatest
