package telemetry

import (
	"errors"
	"flag"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/millrace-dev/millrace/worker/workerstatus"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// busy returns a status with every part set.
func busy() workerstatus.Status {
	return workerstatus.Status{Topic: "orders", Members: []workerstatus.Member{
		{
			Generation: 4, Saturation: 0.5, InFlight: workerstatus.InFlight{Records: 7, Bytes: 700},
			Transaction: &workerstatus.Transaction{ID: "g:orders:0", Version: 2, OpenSeconds: 0.25},
			Partitions: []workerstatus.Partition{{
				Partition: 0, Watermark: 10, Committed: 9, Position: 17, EndOffset: 20, Lag: 10,
				OldestUnsettled: &workerstatus.Unsettled{Offset: 10, AgeSeconds: 1.5},
			}},
		},
		{Partitions: []workerstatus.Partition{{Partition: 1, Watermark: -1, Committed: -1, EndOffset: -1}}},
	}}
}

// worked returns metrics that are all above zero.
func worked(status func() workerstatus.Status) *Metrics {
	m := NewMetrics("orders")
	m.Watch(status)
	for i, c := range []*Counter{
		&m.RecordsIn, &m.RecordsOut, &m.RecordsFiltered, &m.RecordsRetried, &m.RecordsDeadLettered,
		&m.RecordsDropped, &m.AttemptsFailed, &m.BytesIn, &m.BytesOut, &m.Rebalances, &m.CommitsFailed, &m.OffsetsWithoutRecord, &m.OffsetsSettledBefore,
		&m.ObserverPanics, &m.GoroutinesLost, &m.TokensFailed,
	} {
		c.Add(100 + i)
	}
	m.Throttled.Add("fetch", 1500*time.Millisecond)
	transactions := m.NewTransactions()
	transactions.Committed()
	transactions.Aborted("timeout")
	m.ObserveProcessing(512*time.Millisecond, 512)
	m.ObserveEndToEnd(3*time.Second, 512)
	m.ObserveCommit(4 * time.Millisecond)
	return m
}

// exposition returns the text that Prometheus would read, without the metrics of the Go
// runtime.
func exposition(t *testing.T, m *Metrics) string {
	t.Helper()
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if w.Code != 200 {
		t.Fatalf("/metrics answers %d: %s", w.Code, w.Body)
	}
	var ours strings.Builder
	for line := range strings.Lines(w.Body.String()) {
		if strings.Contains(line, "millrace_") {
			ours.WriteString(line)
		}
	}
	return ours.String()
}

// TestExposition compares names, units, help and labels with a golden file, because
// users' dashboards and alerts depend on them.
func TestExposition(t *testing.T) {
	got := exposition(t, worked(busy))
	golden := filepath.Join("testdata", "metrics.txt")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("/metrics differs from %s (go test -update rewrites it):\n%s", golden, got)
	}
}

func TestMetricsFollowPrometheusHabits(t *testing.T) {
	families, err := worked(busy).registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	problems, err := promlint.NewWithMetricFamilies(families).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	seen := map[string]bool{}
	for _, f := range families {
		seen[f.GetName()] = true
	}
	for _, name := range []string{"go_goroutines", "process_cpu_seconds_total", "millrace_records_in_total"} {
		if !seen[name] {
			t.Errorf("the exposition lacks %s", name)
		}
	}
}

func TestGivenUpPartitionsAreGone(t *testing.T) {
	status := busy()
	m := worked(func() workerstatus.Status { return status })
	if !strings.Contains(exposition(t, m), `partition="1"`) {
		t.Fatal("the metrics do not show a partition that the member owns")
	}
	status.Members[1].Partitions = nil
	if strings.Contains(exposition(t, m), `partition="1"`) {
		t.Error("the metrics still show a partition that the member has given up")
	}
}

// TestPartitionOfTwoMembers scrapes the metrics while a partition moves from one member
// of the process to another and the old one still drains it.
func TestPartitionOfTwoMembers(t *testing.T) {
	status := busy()
	status.Members[1].Partitions[0].Partition = 0
	if got := exposition(t, worked(func() workerstatus.Status { return status })); !strings.Contains(got, `millrace_watermark_offset{partition="0",topic="orders"} 10`) {
		t.Errorf("the metrics do not show the partition once:\n%s", got)
	}
}

func TestTotals(t *testing.T) {
	want := workerstatus.Totals{
		RecordsIn: 100, RecordsOut: 101, RecordsFiltered: 102, RecordsDeadLettered: 104,
		RecordsDropped: 105, AttemptsFailed: 106, BytesIn: 107, BytesOut: 108,
	}
	if got := worked(busy).Totals(); got != want {
		t.Errorf("Totals() = %+v, want %+v", got, want)
	}
}

func TestHotPathDoesNotAllocate(t *testing.T) {
	m := NewMetrics("orders")
	allocs := testing.AllocsPerRun(1000, func() {
		m.RecordsIn.Add(512)
		m.BytesIn.Add(51200)
		m.ObserveProcessing(time.Millisecond, 512)
		m.ObserveEndToEnd(time.Second, 512)
	})
	if allocs > 0 {
		t.Errorf("%v allocations", allocs)
	}
}

// broken is a collector of a user's program.
type broken struct{}

func (broken) Describe(chan<- *prometheus.Desc) {}

func (broken) Collect(ch chan<- prometheus.Metric) {
	ch <- prometheus.NewInvalidMetric(prometheus.NewDesc("sessions", "Sessions.", nil, nil), errors.New("no sessions"))
}

// TestABrokenMetricHidesNoOthers: a metric of the user's processor can't be collected.
func TestABrokenMetricHidesNoOthers(t *testing.T) {
	m := worked(busy)
	r := m.NewRegistry()
	if err := r.Register(broken{}); err != nil {
		t.Fatal(err)
	}
	m.Serve(r)
	w := httptest.NewRecorder()
	m.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	if text := w.Body.String(); w.Code != 200 || !strings.Contains(text, "millrace_records_in_total") {
		t.Errorf("status %d, %.200s", w.Code, text)
	}
}
