package telemetry

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/workerstatus"
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

// answer is a server's answer to a request.
type answer struct {
	code              int
	contentType, body string
}

func get(t *testing.T, s *Server, path string) answer {
	t.Helper()
	a, err := request(t.Context(), "http://"+s.Addr()+path)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func request(ctx context.Context, url string) (a answer, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return a, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return a, err
	}
	body, err := io.ReadAll(res.Body)
	a = answer{res.StatusCode, res.Header.Get("Content-Type"), string(body)}
	return a, errors.Join(err, res.Body.Close())
}

func TestServerAnswers(t *testing.T) {
	s := serve(t, nil)
	for path, want := range map[string]string{"/metrics": "millrace_records_in_total", "/healthz": "ok", "/readyz": "ok"} {
		if a := get(t, s, path); a.code != 200 || !strings.Contains(a.body, want) {
			t.Errorf("%s: %+v", path, a)
		}
	}
	a := get(t, s, "/status")
	var status workerstatus.Status
	if err := json.Unmarshal([]byte(a.body), &status); err != nil {
		t.Fatalf("/status: %v in %s", err, a.body)
	}
	if a.contentType != "application/json" {
		t.Errorf("/status is of type %q", a.contentType)
	}
	if status.Topic != "orders" || len(status.Members) != 2 || status.Members[0].Partitions[0].OldestUnsettled.Offset != 10 {
		t.Errorf("/status: %s", a.body)
	}
	if a := get(t, s, "/other"); a.code != 404 {
		t.Errorf("/other: %+v", a)
	}
}

// TestFinalStatusIsThatOfTheEnd requests the final status and changes the status before
// the server closes.
func TestFinalStatusIsThatOfTheEnd(t *testing.T) {
	var name atomic.Pointer[string]
	begin, end := "begin", "end"
	name.Store(&begin)
	s := serve(t, func(c *ServerConfig) {
		c.Status = func() workerstatus.Status { return workerstatus.Status{Name: *name.Load()} }
	})
	url, answers := "http://"+s.Addr()+"/status", make(chan answer, 1)
	sent := make(chan struct{})
	ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{
		WroteRequest: func(httptrace.WroteRequestInfo) { close(sent) },
	})
	go func() {
		a, err := request(ctx, url+"?final")
		if err != nil {
			t.Errorf("the final status: %v", err)
		}
		answers <- a
	}()
	<-sent
	get(t, s, "/status") // is answered meanwhile
	select {
	case a := <-answers:
		t.Fatalf("the final status came before the end: %+v", a)
	default:
	}
	name.Store(&end)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if a := <-answers; !strings.Contains(a.body, end) {
		t.Errorf("the final status is %+v", a)
	}
}

func TestServerSaysWhy(t *testing.T) {
	s := serve(t, func(c *ServerConfig) {
		c.Health = func() error { return errors.New("the worker has made no progress for 2m0s: partition 3") }
		c.Ready = func() error { return errors.New("member 0 is joining") }
	})
	for path, want := range map[string]string{"/healthz": "partition 3", "/readyz": "member 0 is joining"} {
		if a := get(t, s, path); a.code != 503 || !strings.Contains(a.body, want) {
			t.Errorf("%s: %+v", path, a)
		}
	}
}

func TestListenOnATakenAddress(t *testing.T) {
	taken := serve(t, nil).Addr()
	s, err := Listen(ServerConfig{Addr: taken})
	if err == nil {
		t.Fatalf("two servers on one address: %v", s.Close())
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
	if _, err := request(t.Context(), "http://"+addr+"/healthz"); err == nil {
		t.Error("the closed server has answered")
	}
}
