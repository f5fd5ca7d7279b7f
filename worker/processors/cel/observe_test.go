package cel

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
)

// observed returns the results of cfg's expressions on rec, and the error of Process.
func observed(t *testing.T, cfg config.CEL, rec *worker.Record) (found []string, err error) {
	t.Helper()
	p := compiled(t, cfg).Observed(func(e Evaluation) {
		found = append(found, fmt.Sprintf("%s %s %s", strings.TrimPrefix(e.Expression, "processor.cel."), e.Type, e.Result))
	})
	var out worker.Outputs
	return found, p.Process(context.Background(), rec, &out)
}

func TestObservedInTheOrderOfEvaluation(t *testing.T) {
	found, err := observed(t, config.CEL{
		Filter: "json.n > 1", Key: "null", Value: `{"n": json.n, "t": "<" + key}`, Topic: `"a"`,
		Headers: map[string]string{"b": "json.list.map(x, x * 2)", "a": `b"\xff"`},
	}, &worker.Record{Key: []byte("k"), Value: []byte(`{"n": 2, "list": [1, 2]}`)})
	want := []string{
		"filter bool true", `value map {"n":2,"t":"<k"}`, "key null null", `topic string "a"`,
		`headers.a bytes "\xff"`, "headers.b list [2,4]",
	}
	if err != nil || !slices.Equal(found, want) {
		t.Errorf("got %q, error %v; want %q", found, err, want)
	}
}

func TestObservedUntilTheRecordIsFiltered(t *testing.T) {
	found, err := observed(t, config.CEL{Filter: "false", Value: "1"}, &worker.Record{})
	if want := []string{"filter bool false"}; err != nil || !slices.Equal(found, want) {
		t.Errorf("got %q, error %v; want %q", found, err, want)
	}
}

func TestObservedUntilAnExpressionFails(t *testing.T) {
	found, err := observed(t, config.CEL{Filter: "true", Value: "json.n"}, &worker.Record{Value: []byte("{}")})
	if want := []string{"filter bool true"}; err == nil || !slices.Equal(found, want) {
		t.Errorf("got %q, error %v; want %q and an error", found, err, want)
	}
}

// TestObservedTypes: the names of types are those that people write.
func TestObservedTypes(t *testing.T) {
	for expression, want := range map[string]string{
		"value":                             `value string "é"`,
		"offset":                            "value int 7",
		"1.5":                               "value double 1.5",
		"duration('90s')":                   `value duration "90s"`,
		"timestamp('2026-01-02T03:04:05Z')": `value timestamp "2026-01-02T03:04:05Z"`,
		"optional.of(1)":                    "value optional 1",
		"double('NaN')":                     "value double (JSON has no number for NaN: test the operands first, for example that a divisor is not 0)",
	} {
		found, _ := observed(t, config.CEL{Value: expression}, &worker.Record{Offset: 7, Value: []byte("é")})
		if !slices.Equal(found, []string{want}) {
			t.Errorf("%s: got %q, want %q", expression, found, want)
		}
	}
}

// TestObservedDoesNotDrawOutHugeResults: a loop can build a list that is a thousand times
// larger than its memory.
func TestObservedDoesNotDrawOutHugeResults(t *testing.T) {
	doubled := "json"
	for range 40 {
		doubled = "[" + doubled + "].map(x, [x, x])"
	}
	found, err := observed(t, config.CEL{Value: doubled}, &worker.Record{Value: []byte(`[1]`)})
	if want := []string{"value list (too large)"}; err == nil || !slices.Equal(found, want) {
		t.Errorf("got %.200q, error %v; want %q and an error", found, err, want)
	}
}

// TestEveryExpressionIsObserved fails for a new kind of expression until Observed knows it.
func TestEveryExpressionIsObserved(t *testing.T) {
	var cfg config.CEL
	fields := reflect.ValueOf(&cfg).Elem()
	for i := range fields.NumField() {
		switch f := fields.Field(i); f.Kind() {
		case reflect.String:
			f.SetString("true")
		case reflect.Map:
			f.Set(reflect.ValueOf(map[string]string{"a": "true"}))
		}
	}
	cfg.Topic, cfg.Values = `"a"`, ""
	found, err := observed(t, cfg, &worker.Record{})
	if err != nil || len(found) != fields.NumField()-1 {
		t.Errorf("%d of %d expressions are observed: %q; error %v", len(found), fields.NumField()-1, found, err)
	}
	cfg.Value, cfg.Values = "", "[true]"
	if found, err = observed(t, cfg, &worker.Record{}); err != nil || len(found) != fields.NumField()-1 {
		t.Errorf("%d of %d expressions are observed: %q; error %v", len(found), fields.NumField()-1, found, err)
	}
}

// TestObservedForEachElement: the expressions beside values are shown for each element.
func TestObservedForEachElement(t *testing.T) {
	found, err := observed(t, config.CEL{Values: "json", Key: "element * 2"}, &worker.Record{Value: []byte("[1, 2]")})
	want := []string{"values list [1,2]", "key int 2", "key int 4"}
	if err != nil || !slices.Equal(found, want) {
		t.Errorf("got %q, error %v; want %q", found, err, want)
	}
}
