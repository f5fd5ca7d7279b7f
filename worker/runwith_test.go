package worker_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
)

// TestRunWith: a program builds its processor from the configuration, has its metrics served
// with those of the worker, and has its processor closed at the end.
func TestRunWith(t *testing.T) {
	broker := startBroker("in", "out")
	defer broker.Close()
	broker.produce("in", "hello")
	address := make(chan string, 1)
	log := funcr.NewJSON(func(line string) {
		if _, rest, ok := strings.Cut(line, `"address":"`); ok {
			at, _, _ := strings.Cut(rest, `"`)
			address <- at
		}
	}, funcr.Options{})
	var s *session
	build := func(ctx context.Context, setup worker.Setup) (worker.Processor, error) {
		built := prometheus.NewCounter(prometheus.CounterOpts{Name: "sessions_built_total", Help: "Sessions.", ConstLabels: prometheus.Labels{"program": setup.Config.Name}})
		if err := setup.Metrics.Register(built); err != nil {
			return nil, err
		}
		setup.Log.V(1).Info("building a session")
		return worker.PerGoroutine(ctx, func(context.Context) (worker.Processor, error) {
			built.Inc()
			s = &session{}
			return s, nil
		})
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- worker.RunWith(ctx, sessionConfig(broker), build, worker.WithLogger(log)) }()
	if got := broker.consume("out", 1); !slices.Equal(got, []string{"hello"}) {
		t.Errorf("the output is %q", got)
	}
	res, err := http.Get("http://" + <-address + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`sessions_built_total{program="sessions"} 1`, "millrace_records_in_total"} {
		if !strings.Contains(string(text), want) {
			t.Errorf("/metrics has no %s", want)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Errorf("the worker ended with %v", err)
	}
	if !s.closed.Load() {
		t.Error("the processor is not closed")
	}
}

func sessionConfig(b *broker) config.Config {
	return config.Config{
		Name:        "sessions",
		Kafka:       config.Kafka{BootstrapServers: b.ListenAddrs()},
		Input:       config.Input{Topic: "in"},
		Output:      config.Output{Topic: "out"},
		Telemetry:   config.Telemetry{Listen: "127.0.0.1:0"},
		Concurrency: 1,
	}
}

// closing fails when it is closed.
type closing struct{ worker.Processor }

func (closing) Close() error { return errors.New("the session can't be closed") }

// TestErrorsOfAProgram: what New or Close return ends the worker, but for a New that was told
// to stop.
func TestErrorsOfAProgram(t *testing.T) {
	broker := startBroker("in", "out")
	defer broker.Close()
	cfg := sessionConfig(broker)
	failing := func(context.Context, worker.Setup) (worker.Processor, error) { return nil, errors.New("no model") }
	if err := worker.RunWith(t.Context(), cfg, failing); err == nil || err.Error() != "no model" {
		t.Errorf("the error is %v, want that of New", err)
	}
	none := func(context.Context, worker.Setup) (worker.Processor, error) { return nil, nil }
	if err := worker.RunWith(t.Context(), cfg, none); err == nil || err.Error() != "the processor is nil" {
		t.Errorf("the error is %v, want the lack of a processor", err)
	}
	stopped, stop := context.WithCancel(t.Context())
	stop()
	waits := func(ctx context.Context, _ worker.Setup) (worker.Processor, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if err := worker.RunWith(stopped, cfg, waits); err != nil {
		t.Errorf("the error is %v, want none after a stop", err)
	}
	closes := func(context.Context, worker.Setup) (worker.Processor, error) { return closing{&session{}}, nil }
	if err := worker.RunWith(stopped, cfg, closes); err == nil || err.Error() != "in Close: the session can't be closed" {
		t.Errorf("the error is %v, want that of Close", err)
	}
}

// unusable can't tell the size of its batches.
type unusable struct{ *session }

func (unusable) BatchSize() int { panic("no size") }

func (unusable) ProcessBatch(context.Context, []*worker.Record, []*worker.Outputs) error { return nil }

// TestAProcessorThatCanNotBeUsedIsClosed: New has made it, and it may hold resources.
func TestAProcessorThatCanNotBeUsedIsClosed(t *testing.T) {
	broker := startBroker("in", "out")
	defer broker.Close()
	s := &session{}
	build := func(context.Context, worker.Setup) (worker.Processor, error) { return worker.Batch(unusable{s}), nil }
	if err := worker.RunWith(t.Context(), sessionConfig(broker), build); err == nil || err.Error() != "the processor panicked: no size" {
		t.Errorf("the error is %v, want the panic", err)
	}
	if !s.closed.Load() {
		t.Error("the processor is not closed")
	}
}
