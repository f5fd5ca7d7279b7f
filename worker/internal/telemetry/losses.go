package telemetry

import (
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// Losses counts the offsets of each partition that Kafka has lost. It is safe for
// concurrent use.
type Losses struct {
	counter *prometheus.CounterVec

	mu   sync.Mutex
	last map[int32]workerstatus.Loss // by partition; guarded by mu
}

func newLosses(r prometheus.Registerer, labels prometheus.Labels) *Losses {
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name:        "millrace_offsets_lost_total",
		Help:        "Offsets of the input topic that Kafka lost: retention deleted them before the worker read them, the log was truncated, or the topic was deleted.",
		ConstLabels: labels,
	}, []string{"partition", "reason"})
	r.MustRegister(counter)
	return &Losses{counter: counter, last: make(map[int32]workerstatus.Loss)}
}

// Add counts n lost offsets of a partition, between from and to. n may be less than the
// distance of from and to, and is 0 if the number is unknown.
func (l *Losses) Add(partition int32, n, from, to int64, reason workerstatus.LossReason) {
	l.counter.WithLabelValues(strconv.Itoa(int(partition)), string(reason)).Add(float64(n))
	l.mu.Lock()
	defer l.mu.Unlock()
	total := l.last[partition].Offsets + n
	l.last[partition] = workerstatus.Loss{Offsets: total, From: from, To: to, Reason: reason, At: time.Now()}
}

// Of returns the last loss of a partition, or nil if there was none.
func (l *Losses) Of(partition int32) *workerstatus.Loss {
	l.mu.Lock()
	defer l.mu.Unlock()
	if loss, ok := l.last[partition]; ok {
		return &loss
	}
	return nil
}
