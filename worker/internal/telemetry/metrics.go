package telemetry

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// Metrics are a worker's metrics, in a registry of their own. All fields are
// safe for concurrent use.
type Metrics struct {
	RecordsIn, RecordsOut, RecordsFiltered, RecordsRetried Counter
	RecordsDeadLettered, RecordsDropped, AttemptsFailed    Counter
	ObserverPanics, GoroutinesLost                         Counter
	BytesIn, BytesOut                                      Counter
	Rebalances, Commits, CommitsFailed                     Counter
	TokensFailed                                           Counter
	// OffsetsLost counts what Kafka lost of the input.
	OffsetsLost *Losses
	// OffsetsWithoutRecord were passed over because the log has no record at
	// them to read, OffsetsSettledBefore because an earlier owner of the
	// partition had settled their records.
	OffsetsWithoutRecord, OffsetsSettledBefore Counter
	Throttled                                  *Throttling

	registry   *prometheus.Registry
	processing *Histogram
	endToEnd   *Histogram
	committing *Histogram
}

// NewMetrics returns metrics of a worker that reads the topic. Members and
// partitions are read from source, the worker's Status, when they are scraped;
// it may be set later by Watch.
func NewMetrics(topic string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		processing: newHistogram("millrace_processing_seconds",
			"Time that the processor and the writing of its results took for a record, waits between attempts left out."),
		endToEnd: newHistogram("millrace_end_to_end_seconds",
			"Time from a record's timestamp until it was settled."),
		committing: newHistogram("millrace_commit_seconds", "Time that commits of offsets took."),
	}
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.processing, m.endToEnd, m.committing,
	)
	labels := prometheus.Labels{"topic": topic}
	m.OffsetsLost = newLosses(m.registry, labels)
	m.Throttled = newThrottling(m.registry, nil)
	m.registerSkipped(topic)
	for _, c := range []struct {
		counter    *Counter
		name, help string
	}{
		{&m.RecordsIn, "millrace_records_in_total", "Records read from the input topic."},
		{&m.RecordsOut, "millrace_records_out_total", "Records that the brokers have acknowledged, dead letters left out."},
		{&m.RecordsFiltered, "millrace_records_filtered_total", "Records that the processor made nothing of."},
		{&m.RecordsRetried, "millrace_records_retried_total", "Attempts that were made because an earlier one had failed."},
		{&m.RecordsDeadLettered, "millrace_records_dead_lettered_total", "Records in the dead-letter topic."},
		{&m.RecordsDropped, "millrace_records_dropped_total", "Records that were dropped by policy after their last attempt."},
		{&m.AttemptsFailed, "millrace_attempts_failed_total", "Attempts that failed by an error, a panic or an overrun."},
		{&m.GoroutinesLost, "millrace_goroutines_lost_total", "Attempts that overran their timeout and did not return soon after: each holds a goroutine and the memory of its records."},
		{&m.ObserverPanics, "millrace_observer_panics_total", "Calls of the processor's Observe that panicked; their records are settled all the same."},
		{&m.BytesIn, "millrace_bytes_in_total", "Bytes of keys, values and headers read."},
		{&m.BytesOut, "millrace_bytes_out_total", "Bytes of acknowledged records, as encoded and before compression."},
		{&m.Rebalances, "millrace_rebalances_total", "Assignments that the consumer group has made to this worker."},
		{&m.Commits, "millrace_commits_total", "Commits of offsets that were acknowledged."},
		{&m.CommitsFailed, "millrace_commits_failed_total", "Commits of offsets that failed; they are tried again."},
		{&m.TokensFailed, "millrace_kafka_token_failures_total", "Failed attempts to get a token for OAUTHBEARER; the one before stays in use while it is valid."},
	} {
		c.counter.register(m.registry, c.name, c.help, labels)
	}
	return m
}

func (m *Metrics) registerSkipped(topic string) {
	for reason, counter := range map[string]*Counter{
		"NoRecord": &m.OffsetsWithoutRecord, "SettledBefore": &m.OffsetsSettledBefore,
	} {
		counter.register(m.registry, "millrace_offsets_skipped_total",
			"Offsets of the input topic that were passed over: NoRecord: compacted away, of an aborted transaction, "+
				"or a transaction's marker; SettledBefore: settled by an earlier owner of the partition.",
			prometheus.Labels{"topic": topic, "reason": reason})
	}
}

// ObserveProcessing takes that n records took d together.
func (m *Metrics) ObserveProcessing(d time.Duration, n int) {
	m.processing.Observe(d/time.Duration(n), n)
}

// ObserveEndToEnd takes that n records were settled d after their timestamp.
func (m *Metrics) ObserveEndToEnd(d time.Duration, n int) { m.endToEnd.Observe(d, n) }

// ObserveCommit takes that a commit was acknowledged after d.
func (m *Metrics) ObserveCommit(d time.Duration) {
	m.Commits.Add(1)
	m.committing.Observe(d, 1)
}

// Totals returns the counters as /status shows them.
func (m *Metrics) Totals() workerstatus.Totals {
	return workerstatus.Totals{
		RecordsIn: m.RecordsIn.Value(), RecordsOut: m.RecordsOut.Value(),
		RecordsFiltered: m.RecordsFiltered.Value(), RecordsDeadLettered: m.RecordsDeadLettered.Value(),
		RecordsDropped: m.RecordsDropped.Value(), AttemptsFailed: m.AttemptsFailed.Value(),
		BytesIn: m.BytesIn.Value(), BytesOut: m.BytesOut.Value(),
	}
}

// Watch adds the gauges of members and partitions, which are read from status
// at each scrape. It is called once.
func (m *Metrics) Watch(status func() workerstatus.Status) {
	m.registry.MustRegister(newGauges(status))
}

// Handler serves the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}
