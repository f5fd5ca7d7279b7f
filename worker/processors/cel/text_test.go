package cel

import (
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
)

// textRecord has a key, a value and headers that are text, one that is not, and a null.
func textRecord() *worker.Record {
	return &worker.Record{
		Topic: "in", Key: []byte("k1"), Value: []byte("Größe,17"),
		Headers: []worker.Header{
			{Key: "source", Value: []byte("mobile")},
			{Key: "source", Value: []byte("web")},
			{Key: "null"},
			{Key: "binary", Value: []byte{0xff, 0}},
		},
	}
}

// TestTextIsNatural: key, value and headers work as text in all operators and functions
// of text, and the forms from when they were bytes still work.
func TestTextIsNatural(t *testing.T) {
	rec := textRecord()
	for _, expression := range []string{
		`key == "k1"`, `"k1" == key`, `key != "k2"`, `!(key == "k2")`, `key in ["k1", "k2"]`, `!(key in ["k2"])`,
		`key in {"k1": true}`, `{"k1": "one"}[key] == "one"`, `["k1"].exists(k, k == key)`, `[key] == ["k1"]`, `"k1" in [key]`,
		`key.startsWith("k") && key.endsWith("1") && key.contains("k1") && key.matches("^k[0-9]$")`,
		`"id-" + key + "!" == "id-k1!"`, `key > "a" && key < "z"`, `key == topic || key == "k1"`,
		`value.split(",") == ["Größe", "17"]`, `int(value.split(",")[1]) + 1 == 18`, `value.upperAscii() == "GRößE,17"`,
		`value.indexOf("17") == 6`, `value.replace("Größe", "size") == "size,17"`, `"%s".format([value]) == value`,
		`sets.contains(["k1"], [key]) && [key, "k1"].distinct().size() == 1 && ["k1"].hasAny([key])`,
		`regex.extract(value, "[0-9]+").orValue("") == "17"`, `cel.bind(k, key, k == "k1")`,
		`[key, value].join("-") == "k1-Größe,17"`, `base64.encode(key) == "azE="`, `base64.decode("azE=") == key`,
		`headers.source == ["mobile", "web"]`, `headers["source"][0] == "mobile"`, `"web" in headers.source`,
		`headers[?"none"].orValue(["-"])[0] == "-"`,
		`header("source") == "web"`, `header("source").startsWith("w")`, `header("none") == null`, `header("null") == null`,
		`header("none") != "web"`, `"from " + header("source") == "from web"`, `header("binary") == b"\xff\x00"`,
		`header("binary") != "web" && !(header("binary") in ["web"]) && !(header("binary") in {"web": 1})`,
		`headers.binary[0] == b"\xff\x00" && headers.binary == [b"\xff\x00"]`,
		// as bytes
		`key == b"k1"`, `b"k1" == key`, `key != b"k2"`, `key in [b"k1"]`, `string(key) == "k1"`, `bytes(key) == b"k1"`,
		`headers.source == [b"mobile", b"web"]`, `headers[?"none"].orValue([b"-"])[0] == b"-"`, `(key == null ? b"-" : key) == b"k1"`,
		`size(value) == 10 && value.size() == 10 && string(value).size() == 8`, `base64.encode(header("binary")) == "/wA="`,
		`bytes(header("binary")) == b"\xff\x00" && header("binary").size() == 2`,
	} {
		outputs, err := process(t, config.CEL{Filter: expression}, rec)
		if err != nil || len(outputs) != 1 {
			t.Errorf("%s: not true, error %v", expression, err)
		}
	}
}

// TestTextOfJSON: text in JSON compares with key and headers, in lists and maps too.
func TestTextOfJSON(t *testing.T) {
	rec := textRecord()
	rec.Value = []byte(`{"id": "k1", "tags": ["k1", "web"], "names": {"k1": "one"}}`)
	for _, expression := range []string{
		`json.id == key`, `key in json.tags`, `json.names[key] == "one"`, `json.tags == [key, header("source")]`, `json.id == b"k1"`,
		`json.tags.exists(t, t == header("source"))`, `json.tags.hasAny([key])`, `key in json.names`,
	} {
		if outputs, err := process(t, config.CEL{Filter: expression}, rec); err != nil || len(outputs) != 1 {
			t.Errorf("%s: not true, error %v", expression, err)
		}
	}
}

// TestTextInResults: text in JSON is text. Bytes that are not text stay as they are
// alone, and are refused in JSON.
func TestTextInResults(t *testing.T) {
	for expression, want := range map[string]string{
		`{"key": key, "source": header("source"), "none": header("none")}`: `{"key":"k1","none":null,"source":"web"}`,
		`headers.source`:   `["mobile","web"]`,
		`header("binary")`: "\xff\x00",
		`key`:              "k1",
		`value`:            "Größe,17",
		`{"raw": base64.encode(header("binary"))}`: `{"raw":"/wA="}`,
	} {
		if got := one(t, config.CEL{Value: expression}, textRecord()); string(got.Value) != want {
			t.Errorf("%s: got %q, want %q", expression, got.Value, want)
		}
	}
	_, err := process(t, config.CEL{Value: `{"raw": header("binary")}`}, textRecord())
	if err == nil || !strings.Contains(err.Error(), "not UTF-8: write it as base64.encode(...)") {
		t.Errorf("error %v, want one that names base64.encode", err)
	}
}

// TestBytesDontChange: a function that would replace bytes that are no characters fails.
func TestBytesDontChange(t *testing.T) {
	for _, expression := range []string{
		`value.upperAscii()`, `value.substring(0)`, `value.replace("a", "b")`, `value.split("")`, `value.trim()`, `value.reverse()`,
		`"x" + value`, `string(value)`, `[value].join()`, `[value]`, `{"a": value}`,
	} {
		outputs, err := process(t, config.CEL{Value: expression}, &worker.Record{Value: []byte("a\xffb")})
		if err == nil {
			t.Errorf("%s: no error, and the result %q", expression, outputs[0].Value)
		}
	}
}

// TestWhatCanNeverBeTrueDoesNotCompile: the error says what to write instead.
func TestWhatCanNeverBeTrueDoesNotCompile(t *testing.T) {
	for expression, want := range map[string]string{
		`key == 5`:                                 "processor.cel.filter:1:5: == does not take (string or null, int): convert the text with int() or double()",
		`key < 5`:                                  "< does not take (string or null, int): convert the text",
		`key in [1]`:                               "in does not take (string or null, list(int))",
		`offset == "5"`:                            "== does not take (int, string): convert the text",
		`headers.source == "web"`:                  `1:16: == does not take (list(string or null), string): a header may repeat, so headers has lists: header("NAME") is the last value`,
		`headers.source in ["w"]`:                  "in does not take (list(string or null), list(string))",
		`timestamp == "2026"`:                      "== does not take (timestamp, string): convert the text with timestamp()",
		`timestamp > "2026"`:                       "> does not take (timestamp, string): convert the text with timestamp()",
		`value.id == 1`:                            "1:6: value has no fields: value is text; json.id is the field of its JSON",
		`value["id"] == 1`:                         "[] does not take (string or null, string): a text has no elements",
		`key.id == 1`:                              "key has no fields",
		`json.time == timestamp`:                   "1:5: == can never be true: json.time is JSON, which has no timestamp: write timestamp(json.time)",
		`timestamp < json.time`:                    "< can never be true: json.time is JSON, which has no timestamp: write timestamp(json.time)",
		`json.a == duration("1s")`:                 "== can never be true: json.a is JSON, which has no duration: write duration(json.a)",
		`json.tags == [b"x"]`:                      "== can never be true: json.tags is JSON, which has no list(bytes)",
		`b"x" in json.tags`:                        "in can never be true: json.tags is JSON, which has no bytes",
		`json.a == optional.of(1)`:                 "json.a is JSON, which has no optional_type(int)",
		`json.list.exists(x, x == timestamp)`:      "x is JSON, which has no timestamp: write timestamp(x)",
		`json.map.exists(k, v, v.at == timestamp)`: "v.at is JSON, which has no timestamp: write timestamp(v.at)",
		`cel.bind(t, json.at, t == timestamp)`:     "t is JSON, which has no timestamp: write timestamp(t)",
		`value`:                                    "the result must be a bool, but is string or null",
		`value.exists(x, x == "a")`:                "for a text, write json to loop over its JSON, or split() it",
		`"x" + 1 == "x1"`:                          "+ does not take (string, int): convert the text with int() or double(), or the number with string()",
		`bytes(key).startsWith("a")`:               "startsWith does not take (bytes, string): convert the bytes with string()",
	} {
		_, err := New(config.CEL{Filter: expression})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", expression, err, want)
		}
	}
}

// TestResultsDontShareText: topics outlive the record, and its text may be in a result.
func TestResultsDontShareText(t *testing.T) {
	for _, expression := range []string{"value", "key", `header("h")`, `headers.h[0]`, `cel.bind(v, value, v)`} {
		value, key, header := []byte("text"), []byte("text"), []byte("text")
		rec := &worker.Record{Key: key, Value: value, Headers: []worker.Header{{Key: "h", Value: header}}}
		got := one(t, config.CEL{Topic: expression}, rec)
		for _, memory := range [][]byte{value, key, header} {
			copy(memory, "XXXX")
		}
		if got.Topic != "text" {
			t.Errorf("%s: the topic has become %q", expression, got.Topic)
		}
	}
}

// TestWholeValueIsNotCopied: an expression that passes the value on needs no copy of it.
func TestWholeValueIsNotCopied(t *testing.T) {
	rec := textRecord()
	for _, expression := range []string{"value", `key == "k1" ? value : key`} {
		if got := one(t, config.CEL{Value: expression}, rec); &got.Value[0] != &rec.Value[0] {
			t.Errorf("%s: the value was copied", expression)
		}
	}
}
