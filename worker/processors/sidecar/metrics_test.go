package sidecar_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/millrace-dev/millrace/worker/processors/sidecar"
	"github.com/millrace-dev/millrace/worker/sdks/protocol/protocoltest"
)

// TestMetrics: they say what the processes have, and how they have ended.
func TestMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	r := newRig(t, sidecar.Batch{}, func(o *sidecar.Options) { o.Metrics = registry })
	p := r.connect(1)
	call := r.call(r.within(patience), 1, "1")
	b := p.batch()
	waiting := r.call(r.within(patience), 2, "2")
	r.awaitWaiting(1)
	wantMetrics(t, registry, "millrace_sidecar_processes 1", "millrace_sidecar_batches_under_way 1", "millrace_sidecar_batches_waiting 1")
	p.echo(b)
	r.wantEchoes(r.wait(call), "1")
	p.batch()
	_ = p.Close()
	r.wantError(r.wait(waiting), false)
	wantMetrics(t, registry, "millrace_sidecar_processes 0", `millrace_sidecar_connections_ended_total{reason="Failed"} 1`,
		"millrace_sidecar_call_seconds_count 2", "millrace_sidecar_batches_waiting 0")
	p = r.connect(1)
	p.send(&protocoltest.ProcessFrame{Close: &protocoltest.Close{}})
	if _, err := p.Receive(); err == nil {
		t.Error("the worker sends something after the process's Close")
	}
	wantMetrics(t, registry, `millrace_sidecar_connections_ended_total{reason="Closed"} 1`)
}

func wantMetrics(t *testing.T, registry *prometheus.Registry, lines ...string) {
	t.Helper()
	page := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(page, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	for _, line := range lines {
		if !strings.Contains(page.Body.String(), line+"\n") {
			t.Errorf("there is no %q in\n%s", line, page.Body)
		}
	}
}
