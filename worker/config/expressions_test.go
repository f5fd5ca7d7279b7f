package config

import (
	"reflect"
	"strings"
	"testing"
)

func TestParseExpressions(t *testing.T) {
	got, err := ParseExpressions([]byte("filter: json.total > 1\nheaders:\n  origin: topic\n"))
	if want := (&CEL{Filter: "json.total > 1", Headers: map[string]string{"origin": "topic"}}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if got, err := ParseExpressions([]byte("{}\n")); err != nil || !reflect.DeepEqual(got, &CEL{}) {
		t.Errorf("got %+v, %v; want a copy", got, err)
	}
}

// TestParseExpressionsIsStrict: a worker must not ignore an expression, for example one
// that only a newer worker knows.
func TestParseExpressionsIsStrict(t *testing.T) {
	for content, want := range map[string]string{
		"filter: 'true'\nfan: json": "processor.cel.fan: unknown field; known fields: filter, headers, key",
		"filter: {a: b}":            "processor.cel.filter: must be text",
		"filter: a\nfilter: b":      "not readable as YAML",
		"":                          "the file is empty: write {}",
		"key: a\n---\nkey: b":       "more than one YAML document",
		"[]":                        "processor.cel: must contain fields",
	} {
		if got, err := ParseExpressions([]byte(content)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %+v, %v; want an error with %q", content, got, err, want)
		}
	}
}
