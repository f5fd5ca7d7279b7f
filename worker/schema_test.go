package worker_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
)

// schemas are those of a registry, by the path of the request.
var schemas = map[string]map[string]any{
	"/schemas/ids/7": {"schema": `{"type":"record","name":"In","fields":[{"name":"n","type":"int"}]}`},
	"/subjects/out-value/versions/latest": {
		"subject": "out-value", "version": 1, "id": 8, "schema": `{"type":"record","name":"Out","fields":[{"name":"twice","type":"int"}]}`,
	},
}

// registry answers with schemas, but not before open is set.
func registry(t *testing.T, open *atomic.Bool) (url string, asked *atomic.Int32) {
	asked = new(atomic.Int32)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		answer, ok := schemas[r.URL.Path]
		switch {
		case !open.Load():
			w.WriteHeader(http.StatusServiceUnavailable)
		case !ok:
			w.WriteHeader(http.StatusNotFound)
			answer = map[string]any{"error_code": 40403, "message": "Schema not found"}
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(server.Close)
	return server.URL, asked
}

// double is a program that knows JSON only.
func double(_ context.Context, rec *worker.Record) ([]byte, error) {
	var in struct{ N int }
	if err := json.Unmarshal(rec.Value, &in); err != nil {
		return nil, worker.Permanent(err)
	}
	return json.Marshal(map[string]int{"twice": 2 * in.N})
}

// TestSchemas: a registry that is away is waited for, at no record's expense. Then a program
// that knows JSON only reads and writes Avro, and what can't be read is a dead letter as it
// was.
func TestSchemas(t *testing.T) {
	broker := startBroker("in", "out", "dlq")
	defer broker.Close()
	broker.produce("in", "\x00\x00\x00\x00\x07\x0a") // 5
	broker.produce("in", "no Avro")
	broker.produce("in", "\x00\x00\x00\x00\x09\x0a") // an unknown schema
	broker.produce("in", "\x00\x00\x00\x00\x07\x0c") // 6
	var open atomic.Bool
	url, asked := registry(t, &open)
	cfg := sessionConfig(broker)
	cfg.Input.Schema = &config.InputSchema{Registry: config.SchemaRegistry{URL: url}}
	cfg.Output.Schema = &config.OutputSchema{}
	cfg.Failure.MaxAttempts = 1
	cfg.Failure.DeadLetter.Topic = "dlq"
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx, cfg, worker.Map(double)) }()
	for asked.Load() < 2 {
		select {
		case err := <-ended:
			t.Fatalf("the worker has ended with %v", err)
		case <-t.Context().Done():
			t.Fatal("the registry is not asked again")
		default:
		}
	}
	open.Store(true)
	got := strings.Join(broker.consume("out", 2), "|")
	if a, b := "\x00\x00\x00\x00\x08\x14", "\x00\x00\x00\x00\x08\x18"; got != a+"|"+b && got != b+"|"+a {
		t.Errorf("the output is %q", got)
	}
	reader := broker.reader("dlq")
	defer reader.client.Close()
	letters := strings.Join(reader.consume("dlq", 2), "|")
	if a, b := "no Avro", "\x00\x00\x00\x00\x09\x0a"; letters != a+"|"+b && letters != b+"|"+a {
		t.Errorf("the dead letters are %q", letters)
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("the worker ended with %v", err)
	}
}
