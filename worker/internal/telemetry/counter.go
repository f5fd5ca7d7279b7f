package telemetry

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Counter is a total that the hot path adds to and that /status and Prometheus
// read. It is safe for concurrent use; adding costs one atomic operation.
type Counter struct{ n atomic.Int64 }

// Add adds n, which must not be negative.
func (c *Counter) Add(n int) { c.n.Add(int64(n)) }

// Value returns the total.
func (c *Counter) Value() int64 { return c.n.Load() }

// register shows the counter to Prometheus.
func (c *Counter) register(r prometheus.Registerer, name, help string, labels prometheus.Labels) {
	r.MustRegister(prometheus.NewCounterFunc(
		prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels},
		func() float64 { return float64(c.Value()) },
	))
}
