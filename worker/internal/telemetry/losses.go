package telemetry

import (
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// Losses counts what Kafka lost of each partition. It is safe for concurrent
// use.
type Losses struct {
	counter *prometheus.CounterVec

	mu   sync.Mutex
	last map[int32]workerstatus.Loss // by partition; guarded by mu
}

func newLosses(r prometheus.Registerer, labels prometheus.Labels) *Losses {
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name:        "millrace_offsets_lost_total",
		Help:        "Offsets of the input topic that Kafka lost: deleted before they were read, truncated, or of a deleted topic.",
		ConstLabels: labels,
	}, []string{"partition", "reason"})
	r.MustRegister(counter)
	return &Losses{counter: counter, last: make(map[int32]workerstatus.Loss)}
}

// Add counts n lost offsets between from and to of a partition. n may be less than
// their distance, and is 0 if it is unknown.
func (l *Losses) Add(partition int32, n, from, to int64, reason workerstatus.LossReason) {
	l.counter.WithLabelValues(strconv.Itoa(int(partition)), string(reason)).Add(float64(n))
	l.mu.Lock()
	defer l.mu.Unlock()
	total := l.last[partition].Offsets + n
	l.last[partition] = workerstatus.Loss{Offsets: total, From: from, To: to, Reason: reason, At: time.Now()}
}

// Of returns the last loss of a partition, nil if there was none.
func (l *Losses) Of(partition int32) *workerstatus.Loss {
	l.mu.Lock()
	defer l.mu.Unlock()
	if loss, ok := l.last[partition]; ok {
		return &loss
	}
	return nil
}
