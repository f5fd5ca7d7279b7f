package telemetry

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Throttling counts the time for which brokers throttled requests because of quotas. It
// is safe for concurrent use.
type Throttling struct{ seconds *prometheus.CounterVec }

func newThrottling(r prometheus.Registerer, labels prometheus.Labels) *Throttling {
	seconds := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name:        "millrace_throttled_seconds_total",
		Help:        "Time for which brokers throttled this client because of quotas, by the kind of request.",
		ConstLabels: labels,
	}, []string{"request"})
	r.MustRegister(seconds)
	for _, request := range []string{"fetch", "produce"} {
		seconds.WithLabelValues(request) // makes the series exist before the first delay
	}
	return &Throttling{seconds}
}

// Add counts that a broker delayed a request, fetch or produce, for d.
func (t *Throttling) Add(request string, d time.Duration) {
	t.seconds.WithLabelValues(request).Add(d.Seconds())
}
