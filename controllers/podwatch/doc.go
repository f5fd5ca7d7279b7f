// Package podwatch asks the workers' /status what Kafka does not know: how busy
// their pools are, and which records hold a watermark. It stands beside
// kafkawatch: both poll on their own, keep what they have seen, and wake the
// reconciler, which asks nobody itself.
package podwatch
