package cel

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/failure"
)

// TestValuesAreKeptOrRefused: the output holds a record's values unchanged, or the
// record fails with an error that gives the reason. A value never changes silently.
func TestValuesAreKeptOrRefused(t *testing.T) {
	for _, c := range []struct{ value, expression, want string }{
		// integers
		{`{"n": 9223372036854775807}`, `json.n`, `9223372036854775807`},
		{`{"n": 9223372036854775808}`, `json.n`, `9223372036854775808`},
		{`{"n": 9223372036854775809}`, `string(json.n)`, `9223372036854775809`},
		{`{"n": 18446744073709551615}`, `{"id": json.n}`, `{"id":18446744073709551615}`},
		{`{"n": 18446744073709551557}`, `{json.n: 1}`, `{"18446744073709551557":1}`},
		{`{"n": 18446744073709551557}`, `json.n == 18446744073709551557u`, `true`},
		{`{"n": 9223372036854775808}`, `json.n > 1 && json.n > 1.5`, `true`},
		{`{"n": 9223372036854775808}`, `json.n + 1`, `9223372036854775809`},
		{`{"n": 18446744073709551616}`, `json.n`, `error: json: the number 18446744073709551616 does not fit into 64 bits`},
		{`{"n": -9223372036854775809}`, `string(json.n)`, `error: json: the number -9223372036854775809 does not fit into 64 bits`},
		{`{"n": 18446744073709551616}`, `json`, `{"n":18446744073709551616}`},
		{`{"n": [18446744073709551616]}`, `{"all": json.n}`, `{"all":[18446744073709551616]}`},
		{`{"n": -0}`, `json`, `{"n":-0}`},
		{`{"n": -0.0}`, `json.n`, `-0`},
		// decimals
		{`{"n": 0.12345678901234567890}`, `json.n`, `0.12345678901234567890`},
		{`{"n": 0.12345678901234567890}`, `string(json.n)`, `0.12345678901234567890`},
		{`{"n": 9007199254740993.0}`, `[json.n]`, `[9007199254740993.0]`},
		{`{"n": 1e400}`, `json.n`, `error: json: the number 1e400 is too large for a double`},
		{`{"n": 1e-400}`, `json.n`, `error: json: the number 1e-400 is too small for a double`},
		{`{"n": 0e-400}`, `json.n`, `0`},
		{`{"n": 1e400}`, `json`, `{"n":1e400}`},
		{`{"n": 1772323207.143123}`, `json.n`, `1772323207.143123`},
		{
			`{"n": 0.12345678901234567890, "m": 0.12345678901234567891}`, `[json.n]`,
			`error: the result can't be written as JSON: json: the numbers 0.12345678901234567890 and 0.12345678901234567891 are equal in an expression`,
		},
		// The double of m is that of n, which is another number.
		{`{"n": 0.50000000000000000001, "m": 0.5}`, `json.m`, `error: json: the numbers 0.50000000000000000001 and 0.5 are equal in an expression`},
		{`{"m": 9007199254740992.0, "n": 9007199254740993.0}`, `string(json.m)`, `error: json: the numbers 9007199254740993.0 and 9007199254740992.0 are equal`},
		{`{"n": 0.12345678901234567890, "m": 0.12345678901234567891}`, `json`, `{"m":0.12345678901234567891,"n":0.12345678901234567890}`},
		// text
		{`{"s": "a\ud800b"}`, `json.s`, `error: json: \ud800 at byte 8 is half of a surrogate pair`},
		{`{"s": "\uDC00\ud800"}`, `json`, `error: json: \uDC00 at byte 7 is half of a surrogate pair`},
		{`{"s": "\ud83d\u0041"}`, `json.s`, `error: json: \ud83d at byte 7 is half of a surrogate pair`},
		{`{"s": "\ud83d\ude00\u00e9\/\b"}`, `json.s`, "😀é/\b"},
		{`{"s": "<&>"}`, `json`, `{"s":"<&>"}`},
		{"\xff", `string(value)`, `error: invalid UTF-8`},
		{"\xff", `value`, "\xff"},
		{`{}`, `headers.map(name, name)`, "error: the result can't be written as JSON: the text \"\\xff\" is not UTF-8"},
		{`{}`, `headers`, "error: the result can't be written as JSON: the text \"\\xff\" is not UTF-8"},
		// members
		{`{"a": 1, "a": 2}`, `json.a`, `2`},
		{`{"a": 1, "a": 2}`, `json`, `error: the result can't be written as JSON: json: the member "a" at byte 9 occurs twice in its object`},
		{`{"o": [{"b": 1, "\u0062": 2}]}`, `{"o": json.o}`, `error: the result can't be written as JSON: json: the member "b" at byte 16 occurs twice`},
		{`{"a": 1, "a": 2}`, `value`, `{"a": 1, "a": 2}`},
	} {
		rec := &worker.Record{Value: []byte(c.value), Headers: []worker.Header{{Key: "\xff", Value: []byte("x")}}}
		outputs, err := process(t, config.CEL{Value: c.expression}, rec)
		switch want, fails := strings.CutPrefix(c.want, "error: "); {
		case fails && (err == nil || !strings.Contains(err.Error(), want) || !failure.IsPermanent(err)):
			t.Errorf("%s of %s: %v, error %v; want %s", c.expression, c.value, outputs, err, c.want)
		case !fails && (err != nil || len(outputs) != 1 || string(outputs[0].Value) != want):
			t.Errorf("%s of %s: %v, error %v; want %s", c.expression, c.value, outputs, err, want)
		}
	}
}

// TestKeysOfDifferentNumbersDiffer: two ids must not become one key.
func TestKeysOfDifferentNumbersDiffer(t *testing.T) {
	for _, expression := range []string{"json.id", "string(json.id)", "[json.id]"} {
		seen := map[string]string{}
		for _, id := range []string{
			"9007199254740992", "9007199254740993", "9223372036854775808", "9223372036854775809", "18446744073709551614",
			"18446744073709551615", "0.1234567890123456789", "0.1234567890123456788",
		} {
			rec := &worker.Record{Value: []byte(`{"id": ` + id + `}`)}
			key := string(one(t, config.CEL{Key: expression}, rec).Key)
			if other, ok := seen[key]; ok {
				t.Errorf("%s: %s and %s have the key %s", expression, other, id, key)
			}
			seen[key] = id
		}
	}
}

// TestNotesEndWithTheirRecord: notes about one record's JSON must not affect another
// record.
func TestNotesEndWithTheirRecord(t *testing.T) {
	p := compiled(t, config.CEL{Value: "json"})
	for _, value := range []string{`{"a":1,"a":2}`, `{"a":1}`} {
		var out worker.Outputs
		err := p.Process(t.Context(), &worker.Record{Value: []byte(value)}, &out)
		if (err == nil) != (value == `{"a":1}`) {
			t.Errorf("%s: error %v", value, err)
		}
	}
	p = compiled(t, config.CEL{Value: "[json.n]"})
	for _, value := range []string{`{"n":0.12345678901234567890}`, `{"n":0.12345678901234568}`} {
		var out worker.Outputs
		if err := p.Process(t.Context(), &worker.Record{Value: []byte(value)}, &out); err != nil {
			t.Fatal(err)
		}
		if want := "[" + value[5:len(value)-1] + "]"; string(emitted(&out)[0].Value) != want {
			t.Errorf("got %s, want %s", emitted(&out)[0].Value, want)
		}
	}
}

// FuzzParseJSON compares the parser with package encoding/json. Both must accept the
// same texts with the same results, except that the parser refuses halves of surrogate
// pairs.
func FuzzParseJSON(f *testing.F) {
	for _, seed := range []string{
		`{"a": [1, -2.5e+3, "x\n\u00e9\ud83d\ude00", true, false, null, {}, []], "": {"b": 0}}`, `"\ud800"`, `01`, `-`, `1.`, `1e`,
		`[1,]`, `{"a":}`, `{"a" 1}`, `nul`, `"\x"`, "\"\x01\"", ` [ ] `, `[]]`, `{"a":1,"a":2}`, strings.Repeat("[", 10_001), `-0`, `1E5`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if !utf8.ValidString(text) {
			return
		}
		got, _, err := parseText(text)
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		var want any
		wantErr := d.Decode(&want)
		if wantErr == nil && strings.TrimLeft(text[d.InputOffset():], " \t\r\n") != "" {
			wantErr = errSyntax
		}
		switch {
		case err != nil && strings.Contains(err.Error(), "surrogate"):
		case (err == nil) != (wantErr == nil):
			t.Fatalf("%q: error %v, want %v", text, err, wantErr)
		case err == nil && !reflect.DeepEqual(got, want):
			t.Fatalf("%q: %#v, want %#v", text, got, want)
		}
	})
}
