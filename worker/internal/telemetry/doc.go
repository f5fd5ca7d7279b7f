// Package telemetry shows what a worker does: Prometheus metrics, health, the
// JSON of /status, and logs.
//
// It stands beside the data path, which counts into it for many records at a
// time; nothing of it is called for each record.
package telemetry
