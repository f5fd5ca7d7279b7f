package telemetry

import (
	"sync/atomic"

	"github.com/prometheus/client_golang/prometheus"
)

// Counter is a total. The hot path adds to it, and /status and Prometheus read it. It is
// safe for concurrent use; adding costs one atomic operation.
type Counter struct{ n atomic.Int64 }

// Add adds n, which must not be negative.
func (c *Counter) Add(n int) { c.n.Add(int64(n)) }

// Value returns the total.
func (c *Counter) Value() int64 { return c.n.Load() }

// register makes the counter a metric of r.
func (c *Counter) register(r prometheus.Registerer, name, help string, labels prometheus.Labels) {
	r.MustRegister(prometheus.NewCounterFunc(
		prometheus.CounterOpts{Name: name, Help: help, ConstLabels: labels},
		func() float64 { return float64(c.Value()) },
	))
}
