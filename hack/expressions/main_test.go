package main

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/processors/cel"
	"github.com/millrace-dev/millrace/worker/workertest"
)

func TestMain(m *testing.M) {
	// The examples use this key.
	if err := os.Setenv("EXPRESSION_KEY_CUSTOMERS", "0123456789abcdef"); err != nil {
		panic(err)
	}
	os.Exit(m.Run())
}

func example(t *testing.T) worker.Record {
	t.Helper()
	at, err := time.Parse(time.RFC3339, exampleTime)
	if err != nil {
		t.Fatal(err)
	}
	return worker.Record{
		Topic: exampleTopic, Partition: examplePartition, Offset: exampleOffset, Timestamp: at,
		Key: []byte(exampleKey), Value: []byte(exampleValue), Headers: []worker.Header{{Key: "source", Value: []byte(exampleSource)}},
	}
}

// TestExamples: each example has the result that the reference says.
func TestExamples(t *testing.T) {
	for _, s := range sections {
		for _, e := range s.entries {
			if e.example == "" {
				continue
			}
			p, err := cel.New(config.CEL{Value: e.example})
			if err != nil {
				t.Errorf("%s: %v", e.example, err)
				continue
			}
			var got string
			watched := p.Observed(func(e cel.Evaluation) { got = e.Result })
			if result := workertest.Run(t.Context(), watched, example(t))[0]; result.Err != nil || got != e.result {
				t.Errorf("%s: %s, error %v; want %s", e.example, got, result.Err, e.result)
			}
		}
	}
}

// TestRecipes: each recipe makes of its record what the reference says.
func TestRecipes(t *testing.T) {
	for _, r := range recipes {
		var cfg config.CEL
		if err := yaml.UnmarshalStrict([]byte(r.cel), &cfg); err != nil {
			t.Errorf("%s: %v", r.title, err)
			continue
		}
		p, err := cel.New(cfg)
		if err != nil {
			t.Errorf("%s: %v", r.title, err)
			continue
		}
		rec := example(t)
		rec.Key, rec.Value = []byte("k"), []byte(r.value)
		result := workertest.Run(t.Context(), p, rec)[0]
		var got []string
		for _, out := range result.Outputs {
			key := out.Key
			if key == nil {
				key = rec.Key
			}
			got = append(got, string(key)+": "+string(out.Value))
		}
		if result.Err != nil || !slices.Equal(got, r.results) {
			t.Errorf("%s: %q, error %v; want %q", r.title, got, result.Err, r.results)
		}
	}
}

// TestMistakes: each mistake has the error that the reference says.
func TestMistakes(t *testing.T) {
	for _, m := range mistakes {
		p, err := cel.New(config.CEL{Value: m.value})
		if err != nil {
			t.Errorf("%s: %v", m.value, err)
			continue
		}
		rec := example(t)
		if m.tombstone {
			rec.Value = nil
		}
		if err := workertest.Run(t.Context(), p, rec)[0].Err; err == nil || err.Error() != m.err {
			t.Errorf("%s: error %v, want %s", m.value, err, m.err)
		}
	}
}

// TestEveryFunctionIsListed: the reference has each function of expressions, and no other.
func TestEveryFunctionIsListed(t *testing.T) {
	functions, err := cel.Functions()
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for _, s := range sections {
		for _, e := range s.entries {
			listed = append(listed, strings.Fields(e.names)...)
			if e.about == "" || (e.example == "") != (e.result == "") {
				t.Errorf("%s: the entry is not complete", e.form)
			}
		}
	}
	for _, name := range functions {
		if !slices.Contains(listed, name) {
			t.Errorf("the reference lacks %s", name)
		}
	}
	for _, name := range listed {
		if !slices.Contains(functions, name) {
			t.Errorf("the reference has %s, which is no function", name)
		}
	}
}

// TestTheReferenceIsCurrent: go generate has written the file.
func TestTheReferenceIsCurrent(t *testing.T) {
	content, err := os.ReadFile("../../docs/reference/expressions.md")
	if err != nil {
		t.Fatal(err)
	}
	if string(content) != document() {
		t.Error("docs/reference/expressions.md is not what the code says: run make generate")
	}
}
