package cel

import (
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/failure"
)

const faulty = `{"text": "abc", "n": 5, "f": 1.5, "list": [1, "two"], "object": {"a": 1}, "nothing": null, "a b": 1,
	"key": "missing", "zero": 0, "millis": 1700000000123, "at": "yesterday", "lines": [{"price": 1}, {"price": "free"}]}`

// TestFaultsSayWhatToDo: an error names the operator or the function, the types, the
// field with line and column, and what to write instead.
func TestFaultsSayWhatToDo(t *testing.T) {
	rec := textRecord()
	rec.Value = []byte(faulty)
	for expression, want := range map[string]string{
		// operators
		`json.text + 1`:             "1:11: + does not take (string, int): json.text is a string: convert the text with int() or double(), or the number with string()",
		`json.n - json.text`:        "1:8: - does not take (int, string): json.n is an int, json.text is a string: convert the text",
		`json.nothing * 2`:          "1:14: * does not take (null, int): json.nothing is null: test json.nothing != null first",
		`json.text < 5`:             "1:11: < does not take (string, int): json.text is a string: convert the text",
		`json.list >= json.list`:    ">= does not take (list, list)",
		`-json.text`:                "- does not take (string): json.text is a string",
		`!json.text`:                `! does not take (string): json.text is a string: compare it, such as json.text == "true"`,
		`"x" in json.text`:          "in does not take (string, string): json.text is a string",
		`json.f % 2`:                "% does not take (double, int): json.f is a double: it takes whole numbers: convert with int()",
		"json.n +\n  json.text":     "1:8: + does not take (int, string)",
		"[1,\n  json.text * 2]":     "2:13: * does not take (string, int)",
		`json.text && true`:         `1:5: && needs a bool, but json.text is a string: compare it, such as json.text == "true"`,
		`false || json.nothing`:     "|| needs a bool, but json.nothing is null: test json.nothing != null first",
		`json.n ? 1 : 2`:            "?: needs a bool, but json.n is an int: compare it, such as json.n != 0",
		`true ? (json.n ? 1 : 2):3`: "?: needs a bool, but json.n is an int",
		// values beyond the bounds of a type
		`json.n * 9223372036854775807`:                        "1:8: * has a result that does not fit into 64 bits (json.n is 5): calculate with double(...)",
		`9223372036854775807 + 1`:                             "+ has a result that does not fit into 64 bits: calculate with double(...)",
		`partition + 9223372036854775807 + 1`:                 "has a result that does not fit into 64 bits",
		`json.f / 0 > 1.0 ? json.n / json.object.z : 0`:       `json.object has no field "z"`,
		`json.n / json.zero`:                                  "1:8: / by zero: json.zero is 0: test json.zero != 0 first",
		`json.n % json.zero`:                                  "% by zero: json.zero is 0: test json.zero != 0 first",
		`int(1e30 * json.n)`:                                  "int() can't hold 5e+30: an int is from -2^63 to 2^63-1; keep it as it is, or use double()",
		`uint(0 - json.n)`:                                    "uint() can't hold -5: a uint is from 0 to 2^64-1; use int() for numbers below 0",
		`timestamp(json.millis)`:                              "timestamp() takes seconds since 1970, and 1700000000123 are not within the years 1 to 9999: write time.ofMillis(...) for milliseconds",
		`timestamp("9999-12-31T00:00:00Z") + duration("48h")`: "+ has a result that is not within the years 1 to 9999",
		`json.text.substring(5)`:                              "substring: there is no position 5 in the 3 characters of json.text: test size(json.text) first",
		// misspelt fields
		`json.tetx`:                             `1:5: json has no field "tetx": did you mean text? If it may be missing, write json.?tetx.orValue(...)`,
		`json.Object.a`:                         `json has no field "Object": did you mean object?`,
		`json["nothings"]`:                      `json has no field "nothings": did you mean nothing?`,
		`json[json.text.replace("abc", "tex")]`: `json has no field "tex": test `,
		// functions
		`json.list.with("a", 1)`:       "with does not take (list, string, int): json.list is a list",
		`json.n.startsWith("a")`:       "startsWith does not take (int, string): json.n is an int: convert the text with int() or double(), or the number with string()",
		`json.nothing.startsWith("a")`: "startsWith does not take (null, string): json.nothing is null: test json.nothing != null first",
		`header("none") + "x"`:         `+ does not take (null, string): header("none") is null: test header("none") != null first`,
		`json.n.matches("^a")`:         "matches does not take (int, string)",
		`json.n.split(",")`:            "split does not take (int, string)",
		`size(json.n)`:                 "size does not take (int): json.n is an int",
		`json.text.charAt(9)`:          "charAt: there is no position 9 in the 3 characters of json.text: test size(json.text) first",
		`header("binary") + "x"`:       `header("binary") is not UTF-8, so it is no text: write base64.encode(header("binary")) or bytes(header("binary"))`,
		`int(json.text)`:               `int() can't read the text "abc": write a whole number`,
		`double(json.text)`:            `double() can't read the text "abc": write a number`,
		`timestamp(json.at)`:           `timestamp() can't read the text "yesterday": write it as in RFC 3339, such as 2026-01-02T15:04:05Z, or use time.parse(TEXT, FORMAT)`,
		`duration(json.text)`:          `duration() can't read the text "abc": write a duration such as 90s`,
		`int(json.list)`:               "int does not take (list): json.list is a list",
		`string(json.list)`:            "string does not take (list): json.list is a list",
		`math.greatest(json.text, 1)`:  "json.text is a string",
		`sets.contains(json.n, [1])`:   "sets.contains does not take (int, list)",
		`json.text.orValue(1)`:         "orValue() needs an optional value, such as json.?field, but json.text is a string",
		`json.?none.value()`:           "value() is for optional values that have a value: write orValue(...)",
		`dyn(json.?n) + 1`:             "write orValue(...)",
		`json.list.join(",")`:          "join does not take (list, string): json.list is a list: it joins texts: write LIST.map(x, string(x)).join(...)",
		`math.round(json.text)`:        "math.round does not take (string): json.text is a string",
		`{bytes(json.text): 1}`:        "the key of a map needs to be a text, a number or a bool, but bytes() is bytes",
		`{b"a": 1}`:                    "the key of a map needs to be a text, a number or a bool, but the constant is bytes",
		`{json.nothing: 1}`:            "the key of a map needs to be a text, a number or a bool, but json.nothing is null: test json.nothing != null first",
		`{json.list: 1}`:               "the key of a map needs to be a text, a number or a bool, but json.list is a list",
		// loops
		`json.text.map(x, x)`:                 "map() needs a list or a map, but json.text is a string",
		`json.nothing.exists(x, x == 1)`:      "exists() needs a list or a map, but json.nothing is null: test json.nothing != null first",
		`json.list.filter(x, x)`:              "filter() needs a bool, but x is ",
		`json.list.exists(x, x)`:              "exists() needs a bool, but x is an int",
		`json.n.transformList(i, v, v)`:       "transformList() needs a list or a map, but json.n is an int",
		`json.lines.map(l, l.price * 2)`:      "1:27: * does not take (string, int): l.price is a string",
		`json.list.reduce(t, x, 0, t + x)`:    "+ does not take (int, string): x is a string",
		`json.n.reduce(t, x, 0, t + x)`:       "reduce() needs a list or a map, but json.n is an int",
		`json.list.sum()`:                     "sum: adds numbers, but element 1 is a string",
		`json.list.max()`:                     "max: the list has an int and a string, which have no order",
		`[].min()`:                            "min: the list is empty: test size(LIST) > 0 first",
		`json.object.sort()`:                  "sort does not take (map): json.object is a map",
		`json.lines.sortBy(l, l.price)`:       "sortBy: the list has an int and a string, which have no order",
		`json.lines.exists(l, l.price.a > 1)`: `l.price is an int, which has no field "a"`,
		// missing fields and values
		`json.none`:                     `1:5: json has no field "none": test has(json.none) first, or write json.?none.orValue(...)`,
		`json.object.b > 1`:             `1:12: json.object has no field "b": test has(json.object.b) first, or write json.object.?b.orValue(...)`,
		`json["null"]`:                  `json has no field "null": test "null" in json first, or write json[?"null"].orValue(...)`,
		`json["c d"]`:                   `json has no field "c d": test "c d" in json first, or write json[?"c d"].orValue(...)`,
		`json[json.key]`:                `json has no field "missing": test has(json.missing) first`,
		`json.none.deeper`:              `1:5: json has no field "none"`,
		`has(json.none.deeper)`:         `1:9: json has no field "none"`,
		`json.text.a`:                   `json.text is a string, which has no field "a"`,
		`json.nothing.a`:                `json.nothing is null, and null has no field "a": test json.nothing != null first, or write json.nothing.?a`,
		`json.list[2]`:                  "json.list has no element at 2, since it has 2 and the first is at 0: write json.list[?2].orValue(...)",
		`json.list[-1]`:                 "json.list has no element at -1, since it has 2 and the first is at 0: write json.list[size(json.list) - 1] for the last one",
		`json.list.filter(x, false)[0]`: "since it is empty: write",
		`json.object.merge({}).z`:       `json.object.merge() has no field "z": write .?z.orValue(...) to name a value for this case`,
		`json.list.a`:                   "json.list is a list, which has no fields: write json.list[0].a for its first element, or a loop such as json.list.map(x, x.a)",
		`json.text.split(",")[3]`:       "json.text.split() has no element at 3, since it has 1",
		`json.object[1]`:                "json.object has no member with the key 1",
		`headers.none[0]`:               `the record has no header "none": write header("none"), which is null then, or headers.?none.orValue([])`,
		`(json.n > 1 ? json : json).z`:  `has no field "z"`,
		`cel.bind(a, json.object, a.z)`: `a has no field "z"`,
	} {
		_, err := process(t, config.CEL{Value: expression}, rec)
		if err == nil || !strings.Contains(err.Error(), want) || !strings.HasPrefix(err.Error(), "processor.cel.value:") {
			t.Errorf("%s: error %v, want %s", expression, err, want)
		}
		if err != nil && strings.Contains(err.Error(), noOverload) {
			t.Errorf("%s: error %v", expression, err)
		}
		if !failure.IsPermanent(err) {
			t.Errorf("%s: the error is not permanent", expression)
		}
	}
}

// TestFaultsOfTombstones: the error names the tombstone, and not just null.
func TestFaultsOfTombstones(t *testing.T) {
	for expression, want := range map[string]string{
		`json.id`:              `processor.cel.value:1:5: json is null, because the record has no value: it is a tombstone, and null has no field "id": test json != null first, or write json.?id`,
		`json.a.b`:             `json is null, because the record has no value: it is a tombstone, and null has no field "a"`,
		`json[0]`:              "it is a tombstone, and null has no element 0",
		`value.upperAscii()`:   "upperAscii does not take (null): value is null: test value != null first",
		`value + "x"`:          "+ does not take (null, string): value is null: test value != null first",
		`json.map(x, x)`:       "map() needs a list or a map, but json is null",
		`json.without("a")`:    "without does not take (null, string): json is null",
		`json.parse(value).?a`: "json.parse does not take (null): value is null",
	} {
		_, err := process(t, config.CEL{Value: expression}, &worker.Record{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", expression, err, want)
		}
	}
	_, err := process(t, config.CEL{Value: `timestamp - duration("1h")`}, &worker.Record{})
	if want := "- does not take (null, duration): timestamp is null: test timestamp != null first"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
	_, err = process(t, config.CEL{Value: "json.id"}, &worker.Record{Value: []byte("null")})
	if want := "json is null, because the record's value is the JSON null"; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
	for _, expression := range []string{`json.?id.orValue("none") == "none"`, `!has(json.id)`, `value == null ? true : value == "x"`} {
		if outputs, err := process(t, config.CEL{Filter: expression}, &worker.Record{}); err != nil || len(outputs) != 1 {
			t.Errorf("%s: not true, error %v", expression, err)
		}
	}
}

// TestFaultsHaveThePlaceOfTheirExpression: the error about the JSON that two expressions use
// has the place in the one that fails.
func TestFaultsHaveThePlaceOfTheirExpression(t *testing.T) {
	_, err := process(t, config.CEL{Filter: "true || json.a == 1", Value: "{\n  \"a\": [json.a]\n}"}, &worker.Record{Value: []byte("{")})
	if want := "processor.cel.value:2:13: json: the value is not JSON"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
}

// TestFaultsShortenTexts: a record may have very long ones.
func TestFaultsShortenTexts(t *testing.T) {
	_, err := process(t, config.CEL{Value: "int(value)"}, &worker.Record{Value: []byte(strings.Repeat("é", 10_000))})
	if err == nil || len(err.Error()) > 400 || !strings.Contains(err.Error(), `éé"...`) {
		t.Errorf("error %.500v", err)
	}
}
