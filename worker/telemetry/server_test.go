package telemetry

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/go-logr/logr"
)

func serve(t *testing.T, change func(*ServerConfig)) *Server {
	t.Helper()
	ok := func() error { return nil }
	cfg := ServerConfig{
		Addr: "127.0.0.1:0", Metrics: worked(busy).Handler(), Health: ok, Ready: ok,
		Status: busy, Logger: logr.Discard(),
	}
	if change != nil {
		change(&cfg)
	}
	s, err := Listen(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

func get(t *testing.T, s *Server, path string) (*http.Response, string) {
	t.Helper()
	res, err := http.Get("http://" + s.Addr() + path)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, string(body)
}

func TestServerAnswers(t *testing.T) {
	s := serve(t, nil)
	for path, want := range map[string]string{"/metrics": "millrace_records_in_total", "/healthz": "ok", "/readyz": "ok"} {
		if res, body := get(t, s, path); res.StatusCode != 200 || !strings.Contains(body, want) {
			t.Errorf("%s: %s\n%s", path, res.Status, body)
		}
	}
	res, body := get(t, s, "/status")
	var status Status
	if err := json.Unmarshal([]byte(body), &status); err != nil {
		t.Fatalf("/status: %v in %s", err, body)
	}
	if ct := res.Header.Get("Content-Type"); ct != "application/json" {
		t.Errorf("/status is of type %q", ct)
	}
	if status.Topic != "orders" || len(status.Members) != 2 || status.Members[0].Partitions[0].OldestUnsettled.Offset != 10 {
		t.Errorf("/status: %s", body)
	}
	if res, _ := get(t, s, "/other"); res.StatusCode != 404 {
		t.Errorf("/other: %s", res.Status)
	}
}

func TestServerSaysWhy(t *testing.T) {
	s := serve(t, func(c *ServerConfig) {
		c.Health = func() error { return errors.New("nothing has moved for 2m0s: partition 3") }
		c.Ready = func() error { return errors.New("member 0 is joining") }
	})
	for path, want := range map[string]string{"/healthz": "partition 3", "/readyz": "member 0 is joining"} {
		if res, body := get(t, s, path); res.StatusCode != 503 || !strings.Contains(body, want) {
			t.Errorf("%s: %s\n%s", path, res.Status, body)
		}
	}
}

func TestListenOnATakenAddress(t *testing.T) {
	taken := serve(t, nil).Addr()
	s, err := Listen(ServerConfig{Addr: taken})
	if err == nil {
		s.Close()
		t.Fatal("two servers on one address")
	}
	if !strings.Contains(err.Error(), taken) {
		t.Errorf("%q does not name %s", err, taken)
	}
}

func TestClosedServer(t *testing.T) {
	s := serve(t, nil)
	addr := s.Addr()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := http.Get("http://" + addr + "/healthz"); err == nil {
		t.Error("a closed server answers")
	}
}
