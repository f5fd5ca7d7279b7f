package main

import (
	"encoding/json"
	"testing"

	"github.com/millrace-dev/millrace/config/samples/language/langid"
	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/workertest"
)

func TestDetector(t *testing.T) {
	model, err := langid.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	results := workertest.Run(t.Context(), worker.Batch(&detector{model: model}),
		worker.Record{Key: []byte("c-1"), Value: []byte(`{"id":"m-1","channel":"chat","text":"Wo bleibt mein Paket?"}`)},
		worker.Record{Value: []byte(`{"id":"m-2","text":"Where is my pa`)},
		worker.Record{Value: []byte(`{"id":"m-3","text":"¿Dónde está mi paquete?"}`)},
	)
	if results[1].Err == nil {
		t.Error("a truncated message was read")
	}
	for i, want := range map[int]string{0: "de", 2: "es"} {
		if results[i].Err != nil || len(results[i].Outputs) != 1 {
			t.Fatalf("record %d: %+v", i, results[i])
		}
		out := results[i].Outputs[0]
		var m message
		if err := json.Unmarshal(out.Value, &m); err != nil {
			t.Fatal(err)
		}
		if m.Language != want || m.Confidence < 0.5 || string(out.Headers[0].Value) != want {
			t.Errorf("record %d: %s, headers %v, want %s", i, out.Value, out.Headers, want)
		}
	}
	if key := results[0].Outputs[0].Key; string(key) != "c-1" {
		t.Errorf("key %q, want the input's", key)
	}
}
