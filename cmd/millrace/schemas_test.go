package main

import (
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
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
	if want := "The manifest's schemas are left out"; !strings.Contains(result.stdout+result.stderr, want) {
		t.Errorf("there is no %q in\n%s%s", want, result.stdout, result.stderr)
	}
}

// TestSchemasOfADryRun: it registers no schema, and shows results as JSON.
func TestSchemasOfADryRun(t *testing.T) {
	registry := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		t.Errorf("the registry gets %s %s", r.Method, r.URL)
		http.NotFound(w, r)
	}))
	defer registry.Close()
	_, brokers := realCluster(t, kfake.SeedTopics(1, "in"))
	mustProduce(t, producer(t, brokers), &kgo.Record{Topic: "in", Value: []byte(`{"a":1}`)})
	manifest := writeFile(t, "schemas.yaml", []byte(`
apiVersion: millrace.dev/v1alpha1
kind: StreamProcessor
metadata: {name: schemas}
spec:
  kafka: {bootstrapServers: ["kafka:9092"]}
  input: {topic: in, startOffset: Earliest}
  output:
    topic: out
    schema:
      registry: {url: "`+registry.URL+`"}
      definition: {type: Avro, text: '{"type": "int"}'}
      register: true
  processor: {cel: {value: "json.a"}}
`))
	o := millraceRun(testContext(t), t, nil, "-f", manifest, "--brokers", brokers, "--dry-run", "--until-drained")
	if o.err != nil || !slices.Equal(o.lines, []string{"1"}) {
		t.Errorf("%q written, error %v", o.lines, o.err)
	}
	if want := "spec.output.schema is left out"; !strings.Contains(o.stderr, want) {
		t.Errorf("there is no %q in\n%s", want, o.stderr)
	}
}
