package controllers

import (
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	dto "github.com/prometheus/client_model/go"
	ctrl "sigs.k8s.io/controller-runtime"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/kafkawatch"
)

// scrape returns the values of the series, each as name{label="value",...}.
func scrape(t *testing.T, m *Metrics) map[string]float64 {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(m)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	series := map[string]float64{}
	for _, family := range families {
		for _, metric := range family.GetMetric() {
			series[seriesName(family.GetName(), metric)] = metric.GetGauge().GetValue() +
				metric.GetCounter().GetValue() + float64(metric.GetHistogram().GetSampleCount())
		}
	}
	return series
}

func seriesName(name string, metric *dto.Metric) string {
	var labels []string
	for _, l := range metric.GetLabel() {
		labels = append(labels, l.GetName()+"="+l.GetValue())
	}
	return strings.TrimPrefix(name, "millrace_") + "{" + strings.Join(labels, ",") + "}"
}

// TestMetrics: the series follow the StreamProcessor, show its lag while no pod runs too,
// and vanish with it.
func TestMetrics(t *testing.T) {
	w := newWorld(t, 1)
	w.restart(func(o *Options) { o.Metrics = NewMetrics() })
	w.processor(nil)
	expect := func(when string, want map[string]float64) {
		t.Helper()
		got := scrape(t, w.opts.Metrics)
		for name, value := range want {
			if v, ok := got[name]; !ok || v != value {
				t.Errorf("%s: %s is %v, want %v; of %v", when, name, v, value, got)
			}
		}
	}
	const of = "{name=enrich,namespace=shop}"
	sp := &v1alpha1.StreamProcessor{}
	w.must(w.Get(t.Context(), worldKey, sp))
	sp.Spec.Replicas = new(int32(9))
	w.must(w.Update(t.Context(), sp))
	w.reconcile()
	w.settle()
	w.reconcile()
	expect("while it runs", map[string]float64{
		"streamprocessor_condition{name=enrich,namespace=shop,reason=Running,status=True,type=Ready}":                              1,
		"streamprocessor_condition{name=enrich,namespace=shop,reason=MoreReplicasThanPartitions,status=True,type=PartitionCapped}": 1,
		"streamprocessor_replicas_wanted" + of: 9, "streamprocessor_replicas" + of: 6, "streamprocessor_replicas_ready" + of: 6,
		"streamprocessor_lag_records" + of: 0, "streamprocessor_lag_seconds" + of: 0, "streamprocessor_reconcile_errors_total" + of: 0,
	})
	w.must(w.Get(t.Context(), worldKey, sp))
	sp.Spec.Suspend = true
	w.must(w.Update(t.Context(), sp))
	w.reconcile()
	w.settle()
	w.kafka.change(func(f *kafkawatch.Facts) { f.Partitions[0].End = 50 })
	w.reconcile()
	expect("while nothing runs", map[string]float64{
		"streamprocessor_condition{name=enrich,namespace=shop,reason=Suspended,status=True,type=Ready}": 1,
		"streamprocessor_replicas" + of: 0, "streamprocessor_lag_records" + of: 50,
	})
	if got := scrape(t, w.opts.Metrics); got["streamprocessor_condition{name=enrich,namespace=shop,reason=Running,status=True,type=Ready}"] != 0 {
		t.Error("the former condition is still there")
	}
	w.faults = 1
	if _, err := w.r.Reconcile(t.Context(), ctrl.Request{NamespacedName: worldKey}); err == nil {
		t.Error("no error")
	}
	w.faults = 0
	w.opts.Metrics.Polled("pods")(time.Second)
	before := len(scrape(t, w.opts.Metrics))
	w.must(w.Delete(t.Context(), sp))
	w.reconcile()
	if after := scrape(t, w.opts.Metrics); before < 8 || len(after) != 1 || after["poll_duration_seconds{poller=pods}"] != 1 {
		t.Errorf("of %d series %v are left", before, after)
	}
}

// TestFailuresAreCounted: failed reconciliations count even before the first good one.
func TestFailuresAreCounted(t *testing.T) {
	m := NewMetrics()
	m.failed(worldKey)
	m.failed(worldKey)
	got := scrape(t, m)
	if len(got) != 1 || got["streamprocessor_reconcile_errors_total{name=enrich,namespace=shop}"] != 2 {
		t.Errorf("%v", got)
	}
}

// TestLagInSecondsAtZeroPods: a lag that nobody processes takes for ever, so that an alert
// on it fires.
func TestLagInSecondsAtZeroPods(t *testing.T) {
	w := newWorld(t, 1)
	w.restart(func(o *Options) { o.Metrics = NewMetrics() })
	w.processor(nil)
	sp := &v1alpha1.StreamProcessor{}
	w.must(w.Get(t.Context(), worldKey, sp))
	sp.Spec.Suspend = true
	w.must(w.Update(t.Context(), sp))
	w.kafka.change(func(f *kafkawatch.Facts) { f.Partitions[0].End = 50 })
	for range 5 {
		w.clock.SetTime(w.clock.Now().Add(10 * time.Second))
		w.kafka.mu.Lock()
		w.kafka.history = append(w.kafka.history, kafkawatch.Sample{At: w.clock.Now(), Partitions: w.kafka.facts.Partitions})
		w.kafka.mu.Unlock()
		w.reconcile()
	}
	if got := scrape(t, w.opts.Metrics)["streamprocessor_lag_seconds{name=enrich,namespace=shop}"]; !(got > 1e300) {
		t.Errorf("%v seconds", got)
	}
}
