package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/workertest"
)

// TestMain runs the worker itself in the processes that tests start.
func TestMain(m *testing.M) {
	if os.Getenv("RUN_WORKER") != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestFileOfAnotherVersion: a worker names the fields that it ignores, and refuses
// a file that it would misunderstand.
func TestFileOfAnotherVersion(t *testing.T) {
	for content, want := range map[string]string{
		"name: a\nprocessor: {}\ntelemetry: {level: Debug}": `"field":"telemetry.level: unknown field; known fields: listen`,
		"version: 9\nprocessor: new":                        "version: it is 9, but this worker reads files up to version 1: the operator is newer than this program. Upgrade the worker's image",
	} {
		path := filepath.Join(t.TempDir(), "worker.yaml")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		worker := exec.CommandContext(t.Context(), os.Args[0], "--config", path)
		worker.Env = append(os.Environ(), "RUN_WORKER=1")
		said, err := worker.CombinedOutput()
		if worker.ProcessState.ExitCode() != 2 || !strings.Contains(string(said), want) {
			t.Errorf("%s\nends with %v and\n%s\nwant code 2 and %q", content, err, said, want)
		}
	}
}

func setup(p config.Processor) worker.Setup {
	return worker.Setup{Config: config.Config{Processor: p}}
}

func TestBuiltIn(t *testing.T) {
	p, err := builtIn(t.Context(), setup(config.Processor{CEL: &config.CEL{Filter: `value != b"b"`}}))
	if err != nil {
		t.Fatal(err)
	}
	results := workertest.Run(t.Context(), p, worker.Record{Value: []byte("a")}, worker.Record{Value: []byte("b")})
	if len(results[0].Outputs) != 1 || !results[1].Filtered() {
		t.Errorf("results %+v, want an output for the first record only", results)
	}
}

func TestBuiltInNamesTheField(t *testing.T) {
	for want, cfg := range map[string]config.Processor{
		"processor.cel":        {},
		"processor.cel.filter": {CEL: &config.CEL{Filter: "value ==="}},
	} {
		if _, err := builtIn(t.Context(), setup(cfg)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name %s", err, want)
		}
	}
}
