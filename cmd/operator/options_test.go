package main

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestBadFlags are refused before anything is connected to, all at once, each by
// its name.
func TestBadFlags(t *testing.T) {
	cmd := newRootCommand()
	cmd.SetArgs([]string{"--poll-interval=10ms", "--log-format=xml", "--worker-log-level=2", "--rollouts-max-concurrent=-1", "--allowed-brokers=10.0.0.0/99", "--denied-brokers=a b", "--pod-monitor-labels=a b=c"})
	err := cmd.ExecuteContext(t.Context())
	for _, flag := range []string{"--worker-image", "--poll-interval", "--log-format", "--worker-log-level", "--rollouts-max-concurrent", "--allowed-brokers", "--denied-brokers", "--pod-monitor-labels"} {
		if err == nil || !strings.Contains(err.Error(), flag) {
			t.Errorf("error %v; want one that names %s", err, flag)
		}
	}
}

func TestCheckAsksForReadiness(t *testing.T) {
	ready := true
	server := httptest.NewServer(http.HandlerFunc(func(res http.ResponseWriter, req *http.Request) {
		if req.URL.Path != "/readyz" || !ready {
			res.WriteHeader(http.StatusInternalServerError)
		}
	}))
	defer server.Close()
	address := strings.TrimPrefix(server.URL, "http://")
	var out bytes.Buffer
	if err := checkReady(context.Background(), &out, address); err != nil || !strings.Contains(out.String(), "ok") {
		t.Errorf("said %q, error %v", out.String(), err)
	}
	ready = false
	ctx, cancel := context.WithTimeout(t.Context(), 2*checkInterval)
	defer cancel()
	if err := checkReady(ctx, &out, address); err == nil || !strings.Contains(err.Error(), "not ready") {
		t.Errorf("error %v; want one that says not ready", err)
	}
}
