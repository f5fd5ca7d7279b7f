package main

import (
	"path/filepath"
	"slices"
	"testing"
)

// TestSchemasOnALaptop: an embedded broker's records are JSON, without a registry beside it.
func TestSchemasOnALaptop(t *testing.T) {
	manifest := writeFile(t, "schemas.yaml", []byte(`
apiVersion: millrace.dev/v1alpha1
kind: StreamProcessor
metadata: {name: schemas}
spec:
  kafka: {bootstrapServers: ["kafka:9092"]}
  input: {topic: in, schema: {registry: {url: "http://127.0.0.1:1"}}}
  output: {topic: out, schema: {}}
  processor: {cel: {value: "json.a"}}
`))
	input := writeFile(t, "in.jsonl", []byte("{\"a\":1}\n"))
	output := filepath.Join(t.TempDir(), "out.jsonl")
	result := millraceRun(t.Context(), t, nil, "-f", manifest, "--input-file", input, "--output-file", output, "--until-drained")
	if result.err != nil {
		t.Fatal(result.err)
	}
	if got := readLines(t, output); !slices.Equal(got, []string{"1"}) {
		t.Errorf("the output is %q", got)
	}
}
