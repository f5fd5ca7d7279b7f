package telemetry

import (
	"strconv"
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// gauges makes metrics of a worker's Status. It reads the status at each scrape, which
// costs the data path nothing. The next scrape after the worker gives up a partition
// does not show the partition any more.
type gauges struct {
	status     atomic.Pointer[func() workerstatus.Status] // nil before Metrics.Watch
	partitions []partitionGauge
	members    []memberGauge
	// openTransaction is of members with transactions only.
	openTransaction *prometheus.Desc
}

type partitionGauge struct {
	desc  *prometheus.Desc
	value func(*workerstatus.Partition) float64
}

type memberGauge struct {
	desc  *prometheus.Desc
	value func(*workerstatus.Member) float64
}

func newGauges() *gauges {
	partition := func(name, help string, value func(*workerstatus.Partition) float64) partitionGauge {
		return partitionGauge{prometheus.NewDesc(name, help, []string{"topic", "partition"}, nil), value}
	}
	member := func(name, help string, value func(*workerstatus.Member) float64) memberGauge {
		return memberGauge{prometheus.NewDesc(name, help, []string{"member"}, nil), value}
	}
	return &gauges{
		partitions: []partitionGauge{
			partition("millrace_lag_records", "Offsets from the watermark to the end of the log.",
				func(p *workerstatus.Partition) float64 { return float64(p.Lag) }),
			partition("millrace_watermark_offset", "Offset below which every record is settled.",
				func(p *workerstatus.Partition) float64 { return float64(p.Watermark) }),
			partition("millrace_committed_offset", "Committed offset that the group's coordinator has acknowledged.",
				func(p *workerstatus.Partition) float64 { return float64(p.Committed) }),
			partition("millrace_end_offset", "Offset up to which the worker may read; -1 before the first fetch.",
				func(p *workerstatus.Partition) float64 { return float64(p.EndOffset) }),
			partition("millrace_oldest_unsettled_seconds", "Time since the worker dispatched the record that holds the watermark.",
				func(p *workerstatus.Partition) float64 {
					if p.OldestUnsettled == nil {
						return 0
					}
					return p.OldestUnsettled.AgeSeconds
				}),
		},
		members: []memberGauge{
			member("millrace_in_flight_records", "Records that are dispatched and not settled.",
				func(m *workerstatus.Member) float64 { return float64(m.InFlight.Records) }),
			member("millrace_in_flight_bytes", "Bytes of the records that are dispatched and not settled.",
				func(m *workerstatus.Member) float64 { return float64(m.InFlight.Bytes) }),
			member("millrace_input_memory_bytes", "Memory of the input in bytes: fetched data, unpacked batches, and buffers that records in flight keep in use.",
				func(m *workerstatus.Member) float64 { return float64(m.MemoryBytes) }),
			member("millrace_pool_saturation_ratio", "Share of the pool's goroutines that were busy over the last ten seconds.",
				func(m *workerstatus.Member) float64 { return m.Saturation }),
			member("millrace_group_generation", "Generation of the member's consumer group.",
				func(m *workerstatus.Member) float64 { return float64(m.Generation) }),
			member("millrace_assigned_partitions", "Partitions that the member owns.",
				func(m *workerstatus.Member) float64 { return float64(len(m.Partitions)) }),
		},
		openTransaction: prometheus.NewDesc("millrace_transaction_open_seconds",
			"Age of the member's open transaction; 0 if none is open.", []string{"member"}, nil),
	}
}

// Describe implements prometheus.Collector.
func (g *gauges) Describe(ch chan<- *prometheus.Desc) {
	for _, p := range g.partitions {
		ch <- p.desc
	}
	for _, m := range g.members {
		ch <- m.desc
	}
	ch <- g.openTransaction
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	status := g.status.Load()
	if status == nil {
		return
	}
	s := (*status)()
	for i := range s.Members {
		m := &s.Members[i]
		for _, gauge := range g.members {
			ch <- prometheus.MustNewConstMetric(gauge.desc, prometheus.GaugeValue, gauge.value(m), strconv.Itoa(i))
		}
		if m.Transaction != nil {
			ch <- prometheus.MustNewConstMetric(g.openTransaction, prometheus.GaugeValue, m.Transaction.OpenSeconds, strconv.Itoa(i))
		}
	}
	for _, p := range partitionsOf(&s) {
		for _, gauge := range g.partitions {
			ch <- prometheus.MustNewConstMetric(gauge.desc, prometheus.GaugeValue, gauge.value(p),
				s.Topic, strconv.Itoa(int(p.Partition)))
		}
	}
}

// partitionsOf returns each partition once. While a partition moves, two members of the
// process may have it for a moment; then the one with the higher watermark counts. A
// scrape that has a series twice would fail as a whole.
func partitionsOf(s *workerstatus.Status) map[int32]*workerstatus.Partition {
	furthest := map[int32]*workerstatus.Partition{}
	for i := range s.Members {
		for k := range s.Members[i].Partitions {
			p := &s.Members[i].Partitions[k]
			if q := furthest[p.Partition]; q == nil || p.Watermark > q.Watermark {
				furthest[p.Partition] = p
			}
		}
	}
	return furthest
}
