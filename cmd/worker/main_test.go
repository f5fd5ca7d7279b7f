package main

import (
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/workertest"
)

func TestBuiltIn(t *testing.T) {
	p, err := builtIn(config.Config{Processor: config.Processor{CEL: &config.CEL{Filter: `value != b"b"`}}})
	if err != nil {
		t.Fatal(err)
	}
	results := workertest.Run(t.Context(), p, worker.Record{Value: []byte("a")}, worker.Record{Value: []byte("b")})
	if len(results[0].Outputs) != 1 || !results[1].Filtered() {
		t.Errorf("results %+v, want the first record and not the second", results)
	}
}

func TestBuiltInNamesTheField(t *testing.T) {
	for want, cfg := range map[string]config.Processor{
		"processor.cel":        {},
		"processor.cel.filter": {CEL: &config.CEL{Filter: "value ==="}},
	} {
		if _, err := builtIn(config.Config{Processor: cfg}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not name %s", err, want)
		}
	}
}
