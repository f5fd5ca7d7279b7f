// Package kafka is the worker's Kafka client. It takes connections, routing and codecs from
// kafka-go, and lays out the records and most requests itself. Package admin, below it, holds
// the questions that only the operator and the CLI ask.
//
// A Client knows the brokers, the leaders and the credentials of one cluster. Packages
// fetch, produce and group of worker/internal/kafka are built on it. All of them retry while
// leaders move and brokers restart: an error that this package returns needs somebody to
// act, and says how.
//
// The package is public for Millrace's own programs, and may change with any release: there
// is no promise of compatibility for others.
package kafka
