// Package podwatch polls the workers' /status for facts that Kafka does not have: how busy
// the workers' pools are, which records hold up a watermark, and how often the processes
// beside a worker fail. It works like kafkawatch: both poll on their own, keep the last
// answers, and wake the reconciler, which waits for neither.
package podwatch
