package cel

import (
	"reflect"
	"strings"
	"testing"

	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
)

func TestNumbers(t *testing.T) {
	for text, want := range map[string]ref.Val{
		"0": types.Int(0), "-0": types.Int(0), "42": types.Int(42),
		"9223372036854775807": types.Int(9223372036854775807), "-9223372036854775808": types.Int(-9223372036854775808),
		"9223372036854775808": types.Uint(9223372036854775808), "18446744073709551615": types.Uint(18446744073709551615),
		"1.0": types.Double(1), "1e3": types.Double(1000), "1E-2": types.Double(0.01), "0.5": types.Double(0.5),
	} {
		parsed, _, err := parseJSON([]byte(text))
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := (adapter{}).NativeToValue(parsed); got != want {
			t.Errorf("%s: got %T %v, want %T %v", text, got, got, want, want)
		}
	}
}

func TestNumberTooLarge(t *testing.T) {
	rec := &worker.Record{Value: []byte(`{"big": 1e999, "ok": 1}`)}
	want := "processor.cel.filter:1:5: json: the number 1e999 is too large for a double"
	if _, err := process(t, config.CEL{Filter: "json.big > 1"}, rec); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
	if outputs, err := process(t, config.CEL{Filter: "json.ok == 1"}, rec); err != nil || len(outputs) != 1 {
		t.Errorf("a number that no expression uses caused an error: %v", err)
	}
	if got := one(t, config.CEL{Value: "json"}, rec); string(got.Value) != `{"big":1e999,"ok":1}` {
		t.Errorf("got %s", got.Value)
	}
}

func TestParsedValues(t *testing.T) {
	rec := &worker.Record{Value: []byte(` {"a": 1, "a": 2, "\u0062\"": {"c": null}, "": 3, "l": [1, 2.5, "x", true, [], {"d": 9007199254740993}]}` + "\n")}
	for _, expression := range []string{
		`json.a == 2`, `json["b\""].c == null`, `has(json.a) && !has(json.b)`, `json[""] == 3`,
		`json.size() == 4`, `"a" in json && !("z" in json) && !(1 in json)`,
		`json.exists(k, k == "l")`, `json.exists(k, v, k == "a" && v == 2)`,
		`json["b\""] == {"c": null} && {"c": null} == json["b\""]`, `json == json`, `type(json) == map`,
		`json.?none.orValue(7) == 7 && json.?a.orValue(7) == 2`,
		`json.l.size() == 6 && json.l[1] == 2.5 && json.l[-1 + 3] == "x" && json.l[3]`,
		`type(json.l) == list && type(json.l[0]) == int && type(json.l[1]) == double`,
		`json.l[5].d == 9007199254740993 && json.l[5].d + 1 == 9007199254740994`,
		`2 in json.l && !(3 in json.l) || 2.5 in json.l`,
		`json.l.map(x, type(x) == int, x) == [1]`,
	} {
		if outputs, err := process(t, config.CEL{Filter: expression}, rec); err != nil || len(outputs) != 1 {
			t.Errorf("%s: not true, error %v", expression, err)
		}
	}
}

func TestMalformedJSONIsAnErrorWithItsOffset(t *testing.T) {
	for text, want := range map[string]string{
		"":           `it is empty: test value != "" first`,
		"  ":         `it is empty: test value != "" first`,
		`{"a": [1`:   "it ends too early, at byte 8",
		`{"a" 1}`:    "invalid character '1' after object key, at byte 5",
		`{"a": 1,}`:  "invalid character '}' looking for beginning of object key string, at byte 8",
		"{'a': 1}":   "texts and names have double quotes, and there is a single one at byte 1",
		"[1,]":       "invalid character ']' looking for beginning of value, at byte 3",
		"1 2":        "there is more at byte 2, after its end",
		"{}\n x":     "there is more at byte 4, after its end",
		"01":         "there is more at byte 1, after its end",
		"NaN":        "it begins with 'N', as no JSON does: the variable value is its text",
		"\"a\nb\"":   `invalid character '\n' in string literal, at byte 2`,
		`"\x"`:       "invalid character 'x' in string escape code, at byte 2",
		"\"a\xff\"":  "it is not UTF-8",
		"GET / 1.1":  "it begins with 'G', as no JSON does: the variable value is its text",
		"\ufeff{}":   `it begins with '\ufeff', as no JSON does: the variable value is its text`,
		"{\"a\":1}}": "there is more at byte 7, after its end",
	} {
		_, err := process(t, config.CEL{Filter: "json.a == 1"}, &worker.Record{Value: []byte(text)})
		if want := "processor.cel.filter:1:5: json: the value is not JSON: " + want; err == nil || err.Error() != want {
			t.Errorf("%q: error %v, want %s", text, err, want)
		}
	}
}

func TestDeepJSONIsAnError(t *testing.T) {
	const deep = 20_000
	rec := &worker.Record{Value: []byte(strings.Repeat("[", deep) + strings.Repeat("]", deep))}
	if _, err := process(t, config.CEL{Filter: "json == []"}, rec); err == nil || !strings.Contains(err.Error(), "max depth") {
		t.Errorf("error %v, want one that names the allowed depth", err)
	}
}

// The processor does not parse JSON that no expression uses.
func TestJSONIsParsedOnlyWhenUsed(t *testing.T) {
	rec := &worker.Record{Value: []byte("no JSON")}
	if got := one(t, config.CEL{Value: "string(value).upperAscii()"}, rec); string(got.Value) != "NO JSON" {
		t.Errorf("got %s", got.Value)
	}
}

// The processor parses a record's JSON once, however many expressions use it.
func TestJSONIsParsedOnce(t *testing.T) {
	vars := &variables{rec: &worker.Record{Value: []byte(`{"a": 1}`)}}
	first, _ := vars.ResolveName("json")
	second, _ := vars.ResolveName("json")
	if reflect.ValueOf(first).Pointer() != reflect.ValueOf(second).Pointer() {
		t.Error("the processor parsed the JSON again")
	}
}
