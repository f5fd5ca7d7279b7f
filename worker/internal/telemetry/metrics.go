package telemetry

import (
	"net/http"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"

	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// Metrics holds a worker's metrics and their registry. All fields are safe for
// concurrent use.
type Metrics struct {
	RecordsIn, RecordsOut, RecordsFiltered, RecordsRetried Counter
	RecordsDeadLettered, RecordsDropped, AttemptsFailed    Counter
	ObserverPanics, GoroutinesLost                         Counter
	BytesIn, BytesOut                                      Counter
	Rebalances, Commits, CommitsFailed                     Counter
	TokensFailed                                           Counter
	// OffsetsLost counts the offsets of the input that Kafka has lost.
	OffsetsLost *Losses
	// Offsets that the worker skipped: OffsetsWithoutRecord because the log has no
	// record to read there, OffsetsSettledBefore because an earlier owner of the
	// partition has settled their records.
	OffsetsWithoutRecord, OffsetsSettledBefore Counter
	Throttled                                  *Throttling

	// registry has the worker's own metrics. served has them, too, and those of the
	// processor in use.
	registry     *prometheus.Registry
	served       atomic.Pointer[prometheus.Registry]
	gauges       *gauges
	processing   *Histogram
	endToEnd     *Histogram
	committing   *Histogram
	transactions transactionCounters
}

// NewMetrics returns the metrics of a worker that reads the topic. The gauges of members
// and partitions have no values before Watch.
func NewMetrics(topic string) *Metrics {
	m := &Metrics{
		registry: prometheus.NewRegistry(),
		gauges:   newGauges(),
		processing: newHistogram("millrace_processing_seconds",
			"Time that the processor and the writing of its results took for a record, without the waits between attempts."),
		endToEnd: newHistogram("millrace_end_to_end_seconds",
			"Time from a record's timestamp until the record was settled."),
		committing: newHistogram("millrace_commit_seconds", "Time that commits of offsets took."),
	}
	m.registry.MustRegister(
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.processing, m.endToEnd, m.committing, m.gauges,
	)
	m.served.Store(m.registry)
	labels := prometheus.Labels{"topic": topic}
	m.OffsetsLost = newLosses(m.registry, labels)
	m.Throttled = newThrottling(m.registry, nil)
	m.transactions = newTransactionCounters(m.registry, labels)
	m.registerSkipped(topic)
	for _, c := range []struct {
		counter    *Counter
		name, help string
	}{
		{&m.RecordsIn, "millrace_records_in_total", "Records read from the input topic."},
		{&m.RecordsOut, "millrace_records_out_total", "Records that the brokers have acknowledged, without dead letters."},
		{&m.RecordsFiltered, "millrace_records_filtered_total", "Records for which the processor emitted no output."},
		{&m.RecordsRetried, "millrace_records_retried_total", "Attempts that followed a failed attempt of the same record."},
		{&m.RecordsDeadLettered, "millrace_records_dead_lettered_total", "Records that the worker has written to the dead-letter topic."},
		{&m.RecordsDropped, "millrace_records_dropped_total", "Records that the policy dropped after their last attempt."},
		{&m.AttemptsFailed, "millrace_attempts_failed_total", "Attempts that failed by an error, a panic or an overrun."},
		{&m.GoroutinesLost, "millrace_goroutines_lost_total", "Attempts that overran their timeout and did not return soon after. Each holds a goroutine and the memory of its records."},
		{&m.ObserverPanics, "millrace_observer_panics_total", "Calls of the processor's Observe that panicked. Their records are settled all the same."},
		{&m.BytesIn, "millrace_bytes_in_total", "Bytes of the keys, values and headers that the worker has read."},
		{&m.BytesOut, "millrace_bytes_out_total", "Bytes of the acknowledged records, encoded but not compressed."},
		{&m.Rebalances, "millrace_rebalances_total", "Assignments of partitions that this worker got from its consumer group."},
		{&m.Commits, "millrace_commits_total", "Commits of offsets that the group's coordinator has acknowledged."},
		{&m.CommitsFailed, "millrace_commits_failed_total", "Commits of offsets that failed. The worker tries again."},
		{&m.TokensFailed, "millrace_kafka_token_failures_total", "Failed attempts to get a token for OAUTHBEARER. The previous token stays in use while it is valid."},
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
			"Offsets of the input topic that the worker skipped. NoRecord: compacted away, of an aborted transaction, "+
				"or a transaction's marker; SettledBefore: an earlier owner of the partition has settled the record.",
			prometheus.Labels{"topic": topic, "reason": reason})
	}
}

// ObserveProcessing counts that n records took d together.
func (m *Metrics) ObserveProcessing(d time.Duration, n int) {
	m.processing.Observe(d/time.Duration(n), n)
}

// ObserveEndToEnd counts that n records were settled d after their timestamp.
func (m *Metrics) ObserveEndToEnd(d time.Duration, n int) { m.endToEnd.Observe(d, n) }

// ObserveCommit counts that a commit was acknowledged after d.
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

// Watch gives the gauges of members and partitions their values. Each scrape calls status
// for them.
func (m *Metrics) Watch(status func() workerstatus.Status) { m.gauges.status.Store(&status) }

// NewRegistry returns a registry for the metrics of a user's processor. It has the worker's
// metrics, so it refuses another metric with the name of one of them.
func (m *Metrics) NewRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	r.MustRegister(m.registry)
	return r
}

// Serve has Handler serve a registry of NewRegistry in the place of the one before.
func (m *Metrics) Serve(r *prometheus.Registry) { m.served.Store(r) }

// Handler serves the metrics. If one of the user's can't be collected, it serves all others.
func (m *Metrics) Handler() http.Handler {
	served := prometheus.GathererFunc(func() ([]*dto.MetricFamily, error) { return m.served.Load().Gather() })
	return promhttp.HandlerFor(served, promhttp.HandlerOpts{Registry: m.registry, ErrorHandling: promhttp.ContinueOnError})
}
