// Package kafka is the worker's Kafka client. It takes connections, routing and codecs from
// kafka-go, and lays out the records and most requests itself. Package admin, below it, holds
// the questions that only the operator and the CLI ask.
//
// The client is both ends of the data path. A Member holds partitions of the consumer group,
// a Fetcher reads their records from the leaders, a Producer writes the outputs and reports
// their acknowledgements, and the Member commits offsets. All of them use one Client, which
// knows the brokers, the leaders and the credentials. All of them retry while leaders move
// and brokers restart: an error that this package returns needs somebody to act, and says
// how.
//
// The package is public for Millrace's own programs, and may change with any release: there
// is no promise of compatibility for others.
package kafka
