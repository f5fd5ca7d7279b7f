package telemetry

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// gauges shows the state in Status to Prometheus. Reading it at each scrape
// costs the data path nothing, and a partition that was given up is gone from
// the next scrape.
type gauges struct {
	status     func() workerstatus.Status
	partitions []partitionGauge
	members    []memberGauge
}

type partitionGauge struct {
	desc  *prometheus.Desc
	value func(*workerstatus.Partition) float64
}

type memberGauge struct {
	desc  *prometheus.Desc
	value func(*workerstatus.Member) float64
}

func newGauges(status func() workerstatus.Status) *gauges {
	partition := func(name, help string, value func(*workerstatus.Partition) float64) partitionGauge {
		return partitionGauge{prometheus.NewDesc(name, help, []string{"topic", "partition"}, nil), value}
	}
	member := func(name, help string, value func(*workerstatus.Member) float64) memberGauge {
		return memberGauge{prometheus.NewDesc(name, help, []string{"member"}, nil), value}
	}
	return &gauges{
		status: status,
		partitions: []partitionGauge{
			partition("millrace_lag_records", "Offsets from the watermark to the end of the log.",
				func(p *workerstatus.Partition) float64 { return float64(p.Lag) }),
			partition("millrace_watermark_offset", "Offset below which every record is settled.",
				func(p *workerstatus.Partition) float64 { return float64(p.Watermark) }),
			partition("millrace_committed_offset", "Offset that the group's coordinator has acknowledged.",
				func(p *workerstatus.Partition) float64 { return float64(p.Committed) }),
			partition("millrace_end_offset", "End of what may be read; -1 before the first fetch.",
				func(p *workerstatus.Partition) float64 { return float64(p.EndOffset) }),
			partition("millrace_oldest_unsettled_seconds", "Time since the record that holds the watermark was dispatched.",
				func(p *workerstatus.Partition) float64 {
					if p.OldestUnsettled == nil {
						return 0
					}
					return p.OldestUnsettled.AgeSeconds
				}),
		},
		members: []memberGauge{
			member("millrace_in_flight_records", "Records dispatched and not settled.",
				func(m *workerstatus.Member) float64 { return float64(m.InFlight.Records) }),
			member("millrace_in_flight_bytes", "Bytes of the records dispatched and not settled.",
				func(m *workerstatus.Member) float64 { return float64(m.InFlight.Bytes) }),
			member("millrace_input_memory_bytes", "Memory of the input: fetched, unpacked, and kept in use by records in flight.",
				func(m *workerstatus.Member) float64 { return float64(m.MemoryBytes) }),
			member("millrace_pool_saturation_ratio", "Share of the pool's goroutines that were busy over the last ten seconds.",
				func(m *workerstatus.Member) float64 { return m.Saturation }),
			member("millrace_group_generation", "Generation of the consumer group that the member is in.",
				func(m *workerstatus.Member) float64 { return float64(m.Generation) }),
			member("millrace_assigned_partitions", "Partitions that the member owns.",
				func(m *workerstatus.Member) float64 { return float64(len(m.Partitions)) }),
		},
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
}

// Collect implements prometheus.Collector.
func (g *gauges) Collect(ch chan<- prometheus.Metric) {
	s := g.status()
	for i := range s.Members {
		m := &s.Members[i]
		for _, gauge := range g.members {
			ch <- prometheus.MustNewConstMetric(gauge.desc, prometheus.GaugeValue, gauge.value(m), strconv.Itoa(i))
		}
	}
	for _, p := range partitionsOf(&s) {
		for _, gauge := range g.partitions {
			ch <- prometheus.MustNewConstMetric(gauge.desc, prometheus.GaugeValue, gauge.value(p),
				s.Topic, strconv.Itoa(int(p.Partition)))
		}
	}
}

// partitionsOf returns each partition once, as the member knows it that has got
// furthest: two members of a process may have one for a moment when it goes
// from one to the other, and a scrape with a series twice fails as a whole.
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
