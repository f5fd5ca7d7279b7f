package worker

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/telemetry"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
)

// stamping returns a processor that writes its two expressions, as they are, into the
// result. It stands for one that evaluates them.
func stamping(_ context.Context, setup Setup) (Processor, error) {
	expressions := setup.Config.Processor.CEL
	if strings.HasPrefix(expressions.Key, "bad") {
		return nil, fmt.Errorf("processor.cel.key: %s does not compile", expressions.Key)
	}
	key, value := []byte(expressions.Key), []byte(expressions.Value)
	return Func(func(context.Context, *Record) ([]Output, error) { return []Output{{Key: key, Value: value}}, nil }), nil
}

func withFile(path string) config.Config {
	cfg := config.Config{
		Name: "test", Kafka: config.Kafka{BootstrapServers: []string{"kafka:9092"}},
		Input: config.Input{Topic: "in"}, Output: config.Output{Topic: "out"},
		Processor: config.Processor{CELFile: path},
	}
	config.Default(&cfg)
	return cfg
}

// TestEachRecordHasOneVersion: while the expressions change, each result is of one version
// as a whole, and the versions of one goroutine never go back. Expressions that don't
// compile change nothing.
func TestEachRecordHasOneVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "expressions.yaml")
	if err := os.WriteFile(path, []byte("{key: '0', value: '0'}"), 0o600); err != nil {
		t.Fatal(err)
	}
	p, file, err := newProcessor(t.Context(), stamping, Setup{Config: withFile(path)}, telemetry.NewMetrics("in"))
	if err != nil || file == nil {
		t.Fatalf("%v, %v", file, err)
	}
	const versions = 500
	var over atomic.Bool
	var workers sync.WaitGroup
	for range 4 {
		workers.Go(func() {
			if err := processUntil(p, &over); err != nil {
				t.Error(err)
			}
		})
	}
	take := func(content []byte) error { return p.(*reloading).take(t.Context(), content) }
	for i := range versions {
		if err := take(fmt.Appendf(nil, "{key: '%d', value: '%d'}", i+1, i+1)); err != nil {
			t.Fatal(err)
		}
		if err := take(fmt.Appendf(nil, "{key: 'bad %d', value: '-1'}", i)); err == nil || !strings.Contains(err.Error(), "does not compile") {
			t.Fatalf("bad expressions: error %v", err)
		}
	}
	over.Store(true)
	workers.Wait()
	if got := one(p); got != fmt.Sprint(versions) {
		t.Errorf("the last version is %s", got)
	}
}

// processUntil processes records until over is set, and checks their versions.
func processUntil(p Processor, over *atomic.Bool) error {
	last := 0
	for !over.Load() {
		var now int
		if _, err := fmt.Sscan(one(p), &now); err != nil {
			return err
		}
		if now < last {
			return fmt.Errorf("version %d after %d", now, last)
		}
		last = now
	}
	return nil
}

// one processes a record and returns the version of its result.
func one(p Processor) string {
	var out Outputs
	if err := p.Process(context.Background(), &Record{}, &out); err != nil {
		return err.Error()
	}
	result := usercode.As[record.Outputs](&out).List()[0]
	if string(result.Key) != string(result.Value) {
		return fmt.Sprintf("key %s and value %s", result.Key, result.Value)
	}
	return string(result.Key)
}

// TestChangesAreValidated: a change that the worker could not have started with is
// refused, and so is a file beside expressions in the configuration.
func TestChangesAreValidated(t *testing.T) {
	path := filepath.Join(t.TempDir(), "expressions.yaml")
	if err := os.WriteFile(path, []byte("topic: key"), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg := withFile(path)
	cfg.Output.Topic = ""
	p, _, err := newProcessor(t.Context(), stamping, Setup{Config: cfg}, telemetry.NewMetrics("in"))
	if err != nil {
		t.Fatal(err)
	}
	if err := p.(*reloading).take(t.Context(), []byte("key: a")); err == nil || !strings.Contains(err.Error(), "output.topic: it is not set") {
		t.Errorf("results without a topic: error %v", err)
	}
	if err := p.(*reloading).take(t.Context(), []byte("topic: key\nunknown: a")); err == nil {
		t.Error("an unknown field was ignored")
	}
	none := func(context.Context, Setup) (Processor, error) { return nil, nil }
	if _, _, err := newProcessor(t.Context(), none, Setup{Config: cfg}, telemetry.NewMetrics("in")); err == nil || !strings.HasSuffix(err.Error(), "the processor is nil") {
		t.Errorf("no processor: error %v", err)
	}
	cfg.Processor.CEL = &config.CEL{}
	if _, _, err := newProcessor(t.Context(), stamping, Setup{Config: cfg}, telemetry.NewMetrics("in")); err == nil || !strings.Contains(err.Error(), "processor.celFile: processor.cel is set too") {
		t.Errorf("error %v", err)
	}
}

// TestMetricsOfExchangedProcessors: each processor registers the same names, with labels
// that depend on its expressions. /metrics has those of the processor in use only, also after
// expressions that are refused when their metrics are registered already.
func TestMetricsOfExchangedProcessors(t *testing.T) {
	path := filepath.Join(t.TempDir(), "expressions.yaml")
	if err := os.WriteFile(path, []byte("key: '1'"), 0o600); err != nil {
		t.Fatal(err)
	}
	build := func(_ context.Context, setup Setup) (Processor, error) {
		seen := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "seen_total", Help: "Records of " + setup.Config.Processor.CEL.Key + "."}, []string{"by" + setup.Config.Processor.CEL.Key})
		if err := setup.Metrics.Register(seen); err != nil {
			return nil, err
		}
		if err := setup.Metrics.Register(prometheus.NewGauge(prometheus.GaugeOpts{Name: "millrace_lag_records"})); err == nil {
			return nil, errors.New("a name of the worker's is taken")
		}
		if strings.HasPrefix(setup.Config.Processor.CEL.Key, "bad") {
			return nil, errors.New("it does not compile")
		}
		return Func(func(context.Context, *Record) ([]Output, error) {
			seen.WithLabelValues("all").Inc()
			return nil, nil
		}), nil
	}
	metrics := telemetry.NewMetrics("in")
	p, _, err := newProcessor(t.Context(), build, Setup{Config: withFile(path)}, metrics)
	if err != nil {
		t.Fatal(err)
	}
	process := func() {
		if err := p.Process(t.Context(), &Record{}, &Outputs{}); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(want string) {
		t.Helper()
		w := httptest.NewRecorder()
		metrics.Handler().ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
		if got := w.Body.String(); strings.Count(got, "seen_total{") != 1 || !strings.Contains(got, want) || !strings.Contains(got, "millrace_records_in_total") {
			t.Errorf("/metrics is\n%s\nwant %s", got, want)
		}
	}
	process()
	process()
	expect(`seen_total{by1="all"} 2`)
	if err := p.(*reloading).take(t.Context(), []byte("key: 'bad'")); err == nil || err.Error() != "it does not compile" {
		t.Errorf("error %v", err)
	}
	expect(`seen_total{by1="all"} 2`)
	if err := p.(*reloading).take(t.Context(), []byte("key: '2'")); err != nil {
		t.Fatal(err)
	}
	process()
	expect(`seen_total{by2="all"} 1`)
}

// hooked, batched and closable can't be exchanged: nobody would call their methods.
type (
	hooked   struct{ Processor }
	batched  struct{ Processor }
	closable struct {
		Processor
		closed *bool
	}
)

func (hooked) Sequence(*Record) bool { return true }

func (batched) BatchSize() int                                            { return 2 }
func (batched) ProcessBatch(context.Context, []*Record, []*Outputs) error { return nil }

func (c closable) Close() error {
	*c.closed = true
	return nil
}

// TestProcessorsThatCanNotBeExchanged: those with a method that would never be called are
// refused, at the start and later.
func TestProcessorsThatCanNotBeExchanged(t *testing.T) {
	path := filepath.Join(t.TempDir(), "expressions.yaml")
	if err := os.WriteFile(path, []byte("key: a"), 0o600); err != nil {
		t.Fatal(err)
	}
	var closed bool
	for method, p := range map[string]Processor{
		"Sequence": hooked{}, "ProcessBatch": Batch(batched{}), "Close": closable{closed: &closed},
	} {
		build := func(context.Context, Setup) (Processor, error) { return p, nil }
		_, _, err := newProcessor(t.Context(), build, Setup{Config: withFile(path)}, telemetry.NewMetrics("in"))
		if err == nil || !strings.Contains(err.Error(), "has the method "+method) {
			t.Errorf("error %v, want one about %s", err, method)
		}
	}
	if !closed {
		t.Error("the processor that is not used is not closed")
	}
}
