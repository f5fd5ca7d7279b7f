package telemetry

import (
	"math"
	"sort"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// latencyBuckets holds the bounds of the buckets in seconds, from the time of a light
// record to that of a stuck one.
var latencyBuckets = []float64{
	1e-6, 1e-5, 1e-4, 5e-4, 1e-3, 2.5e-3, 5e-3, 1e-2, 2.5e-2, 5e-2, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60,
}

// Histogram is a histogram of durations. Unlike the client library's, it takes many
// equal observations at once. It is safe for concurrent use, and an observation does not
// allocate.
type Histogram struct {
	desc   *prometheus.Desc
	counts []atomic.Uint64 // one for each bucket and one beyond the last
	// sum is in seconds, as the bits of a float64. An integer of nanoseconds would
	// overflow within a second while the worker reads last year's records.
	sum atomic.Uint64
}

func newHistogram(name, help string) *Histogram {
	return &Histogram{
		desc:   prometheus.NewDesc(name, help, nil, nil),
		counts: make([]atomic.Uint64, len(latencyBuckets)+1),
	}
}

// Observe adds n observations of d.
func (h *Histogram) Observe(d time.Duration, n int) {
	if d < 0 {
		d = 0 // the clock that set the record's timestamp may be ahead of this one
	}
	i := sort.SearchFloat64s(latencyBuckets, d.Seconds())
	h.counts[i].Add(uint64(n))
	seconds := d.Seconds() * float64(n)
	for {
		old := h.sum.Load()
		if h.sum.CompareAndSwap(old, math.Float64bits(math.Float64frombits(old)+seconds)) {
			return
		}
	}
}

// Describe implements prometheus.Collector.
func (h *Histogram) Describe(ch chan<- *prometheus.Desc) { ch <- h.desc }

// Collect implements prometheus.Collector.
func (h *Histogram) Collect(ch chan<- prometheus.Metric) {
	buckets := make(map[float64]uint64, len(latencyBuckets))
	var count uint64
	for i, bound := range latencyBuckets {
		count += h.counts[i].Load()
		buckets[bound] = count
	}
	count += h.counts[len(latencyBuckets)].Load()
	sum := math.Float64frombits(h.sum.Load())
	ch <- prometheus.MustNewConstHistogram(h.desc, count, sum, buckets)
}
