// Package kafka is all of the worker's use of Kafka: it connects, reads, writes
// and keeps the membership of the consumer group. It is the only package that
// imports kafka-go, and takes from it the connections, the routing and the
// codecs; batches are read and written by this package's own code.
//
// It is both ends of the data path. A Member says which partitions are ours, a
// Fetcher delivers their record batches from the leaders, a Producer writes the
// outputs' batches and reports their acks, and the Member commits what has
// settled. All of them go through one Client, which knows the brokers, the
// leaders and the credentials, and all of them retry by themselves what a
// cluster in motion answers (moved leaders, restarting brokers): an error that
// leaves this package is one that somebody has to act on, and says how.
package kafka
