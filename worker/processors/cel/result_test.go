package cel

import (
	"testing"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
)

func TestResults(t *testing.T) {
	rec := &worker.Record{Value: []byte(`{"n": {"d": 1.50}, "o": {"b": 1, "a": [1.50, 12345678901234567890, "\u00e9\n"]}, "s": "x"}`)}
	for expression, want := range map[string]string{
		// as they are
		`"text"`: "text", `b"\xff\x00"`: "\xff\x00", `""`: "", `b""`: "", `value.size() > 0 ? json.s : ""`: "x",
		// JSON
		"true": "true", "-5": "-5", "18446744073709551615u": "18446744073709551615",
		"1.5": "1.5", "3.0": "3", "1e21": "1e+21", "1e-7": "1e-7", "0.1 + 0.2": "0.30000000000000004",
		`[1, "a", null, b"hi"]`:                    `[1,"a",null,"aGk="]`,
		`{"b": 1, "a": {"d": [], "c": {}}}`:        `{"a":{"c":{},"d":[]},"b":1}`,
		`{1: "i", 10: "j", 9: "k"}`:                `{"1":"i","10":"j","9":"k"}`,
		`{2u: 1}`:                                  `{"2":1}`,
		`{true: 1}`:                                `{"true":1}`,
		`["\"\\/<>&\b\t\n\r\f", "é\u2028😀"]`:       `["\"\\/<>&\b\t\n\r\f","é\u2028😀"]`,
		`timestamp("2026-01-02T03:04:05.06Z")`:     `"2026-01-02T03:04:05.06Z"`,
		`[timestamp("2026-01-02T03:04:05+01:00")]`: `["2026-01-02T02:04:05Z"]`,
		`duration("90m")`:                          `"5400s"`,
		`duration("-1.5s")`:                        `"-1.500s"`,
		`[duration("250ns")]`:                      `["0.000000250s"]`,
		// numbers within parsed JSON keep their digits
		"json.o":                     `{"a":[1.50,12345678901234567890,"é\n"],"b":1}`,
		"json.o.a":                   `[1.50,12345678901234567890,"é\n"]`,
		`{"x": json.o, "y": json.s}`: `{"x":{"a":[1.50,12345678901234567890,"é\n"],"b":1},"y":"x"}`,
		"json.o.a.map(x, x)[2]":      "é\n",
		"json.n":                     `{"d":1.50}`,
		"json.o.a[1]":                "12345678901234567890",
		"string(json.o.a[1])":        "12345678901234567890",
		// optional values
		"json.?s": "x", `[json.?s, json.?none]`: `["x",null]`,
		`json.o.a + [1]`: `[1.5,12345678901234567890,"é\n",1]`,
	} {
		if got := one(t, config.CEL{Value: expression}, rec); string(got.Value) != want || got.Value == nil {
			t.Errorf("%s: got %s, want %s", expression, got.Value, want)
		}
	}
}

func TestNullResultIsATombstone(t *testing.T) {
	rec := &worker.Record{Value: []byte(`{"n": null}`)}
	for _, expression := range []string{"null", "json.n", "key", "json.?none"} {
		if got := one(t, config.CEL{Value: expression}, rec); got.Value != nil {
			t.Errorf("%s: got %q, want null", expression, got.Value)
		}
	}
}

func TestEqualMapsBecomeEqualBytes(t *testing.T) {
	p := compiled(t, config.CEL{Value: `{"e": 1, "d": 2, "c": 3, "b": 4, "a": 5, "f": {"h": 1, "g": 2}}`})
	for range 50 {
		var out worker.Outputs
		if err := p.Process(t.Context(), &worker.Record{}, &out); err != nil {
			t.Fatal(err)
		}
		if got, want := string(emitted(&out)[0].Value), `{"a":5,"b":4,"c":3,"d":2,"e":1,"f":{"g":2,"h":1}}`; got != want {
			t.Fatalf("got %s, want %s", got, want)
		}
	}
}

func TestResultsWithoutJSON(t *testing.T) {
	for expression, want := range map[string]string{
		"[1.0/0.0]":             "JSON has no number for +Inf: test the operands first, for example that a divisor is not 0",
		`{"a": [-1.0/0.0]}`:     "JSON has no number for -Inf: test the operands first, for example that a divisor is not 0",
		"[int]":                 "a value of type type has no JSON form",
		`{1: "a", dyn("1"): 2}`: `the map has two keys that are "1" in JSON`,
	} {
		_, err := process(t, config.CEL{Value: expression}, &worker.Record{})
		if want := "processor.cel.value: the result can't be written as JSON: " + want; err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", expression, err, want)
		}
	}
}

func TestEmptyBytesAreNotNull(t *testing.T) {
	if got, err := new(writer).write(types.Bytes(nil), new(worker.Outputs)); err != nil || got == nil {
		t.Errorf("got %v, error %v; want an empty slice", got, err)
	}
	list := types.NewRefValList(adapter{}, []ref.Val{types.Bytes(nil)})
	if got, err := new(writer).write(list, new(worker.Outputs)); err != nil || string(got) != `[""]` {
		t.Errorf(`got %s, error %v; want [""]`, got, err)
	}
}
