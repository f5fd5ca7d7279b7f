package main

import (
	"bytes"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// TestCheckWaitsForTheOperator: the operator's Service refuses connections and answers
// "not ready" at first, as it may just after an installation.
func TestCheckWaitsForTheOperator(t *testing.T) {
	reserved, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := reserved.Addr().String()
	_ = reserved.Close() // connections to it are refused from now on
	var asked atomic.Int32
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if asked.Add(1) < 3 {
			w.WriteHeader(http.StatusInternalServerError)
		}
	}))
	t.Cleanup(server.Close)
	time.AfterFunc(checkInterval/2, func() {
		listener, err := net.Listen("tcp", address)
		if err != nil {
			t.Error(err)
			return
		}
		_ = server.Listener.Close()
		server.Listener = listener
		server.Start()
	})
	var out bytes.Buffer
	if err := checkReady(t.Context(), &out, address); err != nil {
		t.Fatal(err)
	}
	if asked.Load() != 3 || !strings.Contains(out.String(), "ready") {
		t.Errorf("asked %d times, wrote %q", asked.Load(), &out)
	}
}
