package controllers

import (
	"math"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Metrics is a prometheus.Collector of the operator's figures about StreamProcessors and
// pollers. The series of a StreamProcessor vanish with it. Only the operator that leads
// has any.
type Metrics struct {
	polls *prometheus.HistogramVec

	mu sync.Mutex
	of map[types.NamespacedName]*figures // guarded by mu
}

// figures are those of one StreamProcessor after its last reconciliation.
type figures struct {
	reported   bool // whether there are figures other than errors
	conditions []metav1.Condition
	// wanted is the number of pods that the spec or autoscaling asks for, asked the
	// number that the partitions allow.
	wanted, asked, ready int32
	// lag is -1 until the cluster has answered; seconds is +Inf while no record of the lag
	// is processed.
	lag     int64
	seconds float64
	errors  int64
}

// NewMetrics returns metrics for the caller to register.
func NewMetrics() *Metrics {
	return &Metrics{
		polls: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "millrace_poll_duration_seconds",
			Help:    "Time of a round of questions: of poller kafka to one Kafka cluster, of poller pods to the pods of one StreamProcessor.",
			Buckets: []float64{.005, .02, .1, .5, 1, 2, 5, 10, 20, 40},
		}, []string{"poller"}),
		of: map[types.NamespacedName]*figures{},
	}
}

// Polled returns a function that a poller calls with the time that each round took.
func (m *Metrics) Polled(poller string) func(time.Duration) {
	observer := m.polls.WithLabelValues(poller)
	return func(took time.Duration) { observer.Observe(took.Seconds()) }
}

var processorLabels = []string{"namespace", "name"}

func processorDesc(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("millrace_streamprocessor_"+name, help, append(processorLabels, labels...), nil)
}

var (
	conditionDesc = processorDesc("condition", "1 for each condition that the status shows, by its status and reason.", "type", "status", "reason")
	wantedDesc    = processorDesc("replicas_wanted", "Number of pods that the spec or autoscaling asks for.")
	replicasDesc  = processorDesc("replicas", "Number of pods that the Deployment asks for: at most one for each partition.")
	readyDesc     = processorDesc("replicas_ready", "Number of pods that are members of the consumer group.")
	lagDesc       = processorDesc("lag_records", "Number of records of the input topic that are not processed yet, whether or not pods run.")
	secondsDesc   = processorDesc("lag_seconds", "Time to process the lag at the present rate; +Inf while no record of it is processed.")
	errorsDesc    = processorDesc("reconcile_errors_total", "Number of failed reconciliations.")
)

// Describe implements prometheus.Collector.
func (m *Metrics) Describe(ch chan<- *prometheus.Desc) {
	m.polls.Describe(ch)
	for _, desc := range []*prometheus.Desc{conditionDesc, wantedDesc, replicasDesc, readyDesc, lagDesc, secondsDesc, errorsDesc} {
		ch <- desc
	}
}

// Collect implements prometheus.Collector.
func (m *Metrics) Collect(ch chan<- prometheus.Metric) {
	m.polls.Collect(ch)
	for _, metric := range m.all() {
		ch <- metric
	}
}

func (m *Metrics) all() []prometheus.Metric {
	m.mu.Lock()
	defer m.mu.Unlock()
	var all []prometheus.Metric
	for key, f := range m.of {
		all = f.appendTo(all, key)
	}
	return all
}

func (f *figures) appendTo(all []prometheus.Metric, key types.NamespacedName) []prometheus.Metric {
	add := func(desc *prometheus.Desc, kind prometheus.ValueType, value float64, labels ...string) {
		all = append(all, prometheus.MustNewConstMetric(desc, kind, value, append([]string{key.Namespace, key.Name}, labels...)...))
	}
	add(errorsDesc, prometheus.CounterValue, float64(f.errors))
	if !f.reported {
		return all
	}
	for _, c := range f.conditions {
		add(conditionDesc, prometheus.GaugeValue, 1, c.Type, string(c.Status), c.Reason)
	}
	add(wantedDesc, prometheus.GaugeValue, float64(f.wanted))
	add(replicasDesc, prometheus.GaugeValue, float64(f.asked))
	add(readyDesc, prometheus.GaugeValue, float64(f.ready))
	if f.lag >= 0 {
		add(lagDesc, prometheus.GaugeValue, float64(f.lag))
		add(secondsDesc, prometheus.GaugeValue, f.seconds)
	}
	return all
}

// get returns the figures of a StreamProcessor. The caller holds mu.
func (m *Metrics) get(key types.NamespacedName) *figures {
	if m.of[key] == nil {
		m.of[key] = &figures{}
	}
	return m.of[key]
}

// reported takes the findings of a reconciliation after the status is filled.
func (m *Metrics) reported(s *scope) {
	if m == nil {
		return
	}
	st, r := &s.sp.Status, &s.plan.Replicas
	m.mu.Lock()
	defer m.mu.Unlock()
	f := m.get(s.key)
	f.reported = true
	f.conditions = append(f.conditions[:0], st.Conditions...)
	f.wanted, f.asked, f.ready, f.lag = max(r.Wanted, r.Count), r.Count, st.ReadyReplicas, -1
	if in := st.Input; in != nil {
		f.lag = in.Lag
		switch {
		case in.LagSeconds != nil:
			f.seconds = float64(*in.LagSeconds)
		case in.Lag > 0:
			f.seconds = math.Inf(1)
		default:
			f.seconds = 0
		}
	}
}

// failed counts a failed reconciliation.
func (m *Metrics) failed(key types.NamespacedName) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.get(key).errors++
}

// forget removes the series of a StreamProcessor.
func (m *Metrics) forget(key types.NamespacedName) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.of, key)
}
