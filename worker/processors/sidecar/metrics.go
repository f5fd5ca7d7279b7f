package sidecar

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
)

// metrics are those of a Processor. They are safe for concurrent use.
type metrics struct {
	calls    prometheus.Histogram // seconds of a batch
	sent     prometheus.Counter   // bytes
	received prometheus.Counter
	closed   prometheus.Counter // connections, in good order
	broken   prometheus.Counter // connections, because of an error
}

// newMetrics registers the metrics of p; r may be nil.
func newMetrics(p *Processor, r prometheus.Registerer) (*metrics, error) {
	ended := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "millrace_sidecar_connections_ended_total",
		Help: "Connections of processes that have ended: Closed in good order, or Failed by an error, a crash or a timeout.",
	}, []string{"reason"})
	m := &metrics{
		calls: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "millrace_sidecar_call_seconds", Help: "Time from a batch's way to a process until its last result.",
			Buckets: []float64{1e-4, 2.5e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60},
		}),
		sent: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "millrace_sidecar_sent_bytes_total", Help: "Bytes of batches for processes.",
		}),
		received: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "millrace_sidecar_received_bytes_total", Help: "Bytes of results from processes.",
		}),
		closed: ended.WithLabelValues("Closed"), broken: ended.WithLabelValues("Failed"),
	}
	if r == nil {
		return m, nil
	}
	var errs []error
	for _, c := range []prometheus.Collector{
		m.calls, m.sent, m.received, ended,
		gauge("millrace_sidecar_processes", "Processes that are connected.", p.places.processes),
		gauge("millrace_sidecar_batches_under_way", "Batches that processes have.", p.places.underWay),
		gauge("millrace_sidecar_batches_waiting", "Batches that wait for a process with room.", p.places.waitingCalls),
	} {
		errs = append(errs, r.Register(c))
	}
	return m, errors.Join(errs...)
}

func gauge(name, help string, value func() int) prometheus.Collector {
	return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, func() float64 { return float64(value()) })
}

func (s *places) processes() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.connections)
}

func (s *places) underWay() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.connections {
		n += len(c.calls)
	}
	return n
}

func (s *places) waitingCalls() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting)
}
