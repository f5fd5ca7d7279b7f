package lines

import (
	"bytes"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
	"github.com/millrace-dev/millrace/worker/processors/sidecar/internal/frame"
)

// TestLinesIn: a record becomes one line, and its bytes can be told from it.
func TestLinesIn(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_123)
	for want, rec := range map[string]worker.Record{
		`{"topic":"in","partition":2,"offset":7,"timestamp":"2023-11-14T22:13:20.123Z","key":"k","value":"<v>"}`: {
			Topic: "in", Partition: 2, Offset: 7, Timestamp: at, Key: []byte("k"), Value: []byte("<v>"),
		},
		`{"topic":"","partition":0,"offset":0,"timestamp":null,"key":null,"value":null}`: {},
		`{"topic":"","partition":0,"offset":0,"timestamp":null,"key":"","value":""}`:     {Key: []byte{}, Value: []byte{}},
		`{"topic":"","partition":0,"offset":0,"timestamp":null,"keyBase64":"/w==","valueBase64":"eyL/In0="}`: {
			Key: []byte{0xff}, Value: []byte("{\"\xff\"}"),
		},
		`{"topic":"","partition":0,"offset":0,"timestamp":null,"key":"{}","value":{"a":[1.50,null]}}`: {
			Key: []byte("{}"), Value: []byte("\n{\n \"a\": [1.50,\r\n null]}\n"),
		},
		`{"topic":"","partition":0,"offset":0,"timestamp":null,"key":null,"value":[]}`:     {Value: []byte(" []")},
		`{"topic":"","partition":0,"offset":0,"timestamp":null,"key":null,"value":"1.50"}`: {Value: []byte("1.50")},
		`{"topic":"","partition":0,"offset":0,"timestamp":null,"key":null,"value":"null"}`: {Value: []byte("null")},
		`{"topic":"","partition":0,"offset":0,"timestamp":null,"key":null,"value":"{\n}}"}`: {
			Value: []byte("{\n}}"),
		},
		`{"topic":"","partition":0,"offset":0,"timestamp":null,"headers":[{"key":"a","value":"{}"},{"key":"a","value":null},{"key":"","keyBase64":"/w==","valueBase64":"/g=="}],"key":null,"value":null}`: {
			Headers: []worker.Header{{Key: "a", Value: []byte("{}")}, {Key: "a"}, {Key: "\xff", Value: []byte("\xfe")}},
		},
	} {
		var b bytes.Buffer
		if err := writeRecord(&b, &rec); err != nil || b.String() != want+"\n" {
			t.Errorf("%+v becomes\n%s(%v), want\n%s", rec, b.String(), err, want)
		}
	}
}

var input = worker.Record{
	Topic: "in", Partition: 2, Offset: 7, Key: []byte("k"), Value: []byte("v"), Headers: []worker.Header{{Key: "h", Value: []byte("1")}},
}

// emitted returns what a worker makes of a line, the outputs or the failure.
func emitted(t *testing.T, line string) (outputs []record.Output, failure *frame.Failure, err error) {
	t.Helper()
	var a frame.Answer
	a.Begin(1)
	if err := take([]byte(line), &input, 0, &a); err != nil {
		return nil, nil, err
	}
	_, body, err := frame.Parse(a.Append(nil)[frame.Prefix:])
	if err != nil {
		t.Fatal(err)
	}
	decoder := frame.NewDecoder(body)
	r, ok, err := decoder.Next()
	if err != nil || !ok {
		t.Fatalf("no result: %v", err)
	}
	var out worker.Outputs
	if err := r.Emit(&input, &out); err != nil {
		t.Fatal(err)
	}
	return usercode.As[record.Outputs](&out).List(), r.Failure, nil
}

// TestLinesOut: a line is a result, several, none, or a failure. Parts that are absent are the
// record's.
func TestLinesOut(t *testing.T) {
	at := time.UnixMilli(1_700_000_000_123)
	for line, want := range map[string][]record.Output{
		"null":                                nil,
		" [] ":                                nil,
		"[null, null]":                        nil,
		"{}":                                  {{Value: []byte("v")}},
		`{"value": "w\n"}`:                    {{Value: []byte("w\n")}},
		`{"value": null}`:                     {{}},
		`{"value": ""}`:                       {{Value: []byte{}}},
		`{"value": 1.50}`:                     {{Value: []byte("1.50")}},
		`{"value": {"a":1}}`:                  {{Value: []byte(`{"a":1}`)}},
		`{"value": false}`:                    {{Value: []byte("false")}},
		`{"valueBase64": "/w=="}`:             {{Value: []byte{0xff}}},
		`{"valueBase64": "", "value": null}`:  {{Value: []byte{}}},
		`{"key": null}`:                       {{NullKey: true, Value: []byte("v")}},
		`{"key": ""}`:                         {{Key: []byte{}, Value: []byte("v")}},
		`{"keyBase64": "/w==", "value": "w"}`: {{Key: []byte{0xff}, Value: []byte("w")}},
		`{"outputTopic": "other"}`:            {{Topic: "other", Value: []byte("v")}},
		`{"timestamp": 1700000000123}`:        {{Timestamp: at, Value: []byte("v")}},
		`{"timestamp": "2023-11-14T22:13:20.123Z"}`: {{Timestamp: at, Value: []byte("v")}},
		`{"timestamp": null}`:                       {{Value: []byte("v")}},
		`{"headers": null}`:                         {{Headers: []record.Header{}, Value: []byte("v")}},
		`{"headers": []}`:                           {{Headers: []record.Header{}, Value: []byte("v")}},
		`{"headers": {"b": "1", "a": null}}`:        {{Headers: []record.Header{{Key: "a"}, {Key: "b", Value: []byte("1")}}, Value: []byte("v")}},
		`{"headers": [{"key": "a", "valueBase64": "/w=="}, {"keyBase64": "/g==", "value": ""}]}`: {
			{Headers: []record.Header{{Key: "a", Value: []byte{0xff}}, {Key: "\xfe", Value: []byte{}}}, Value: []byte("v")},
		},
		`{"topic":"in","partition":2,"offset":7,"timestamp":null,"key":"k","value":"w","error":null}`: {{Key: []byte("k"), Value: []byte("w")}},
		`[{"value": 1}, null, {"value": 2}]`: {{Value: []byte("1")}, {Value: []byte("2")}},
	} {
		outputs, failure, err := emitted(t, line)
		if err != nil || failure != nil || !reflect.DeepEqual(outputs, want) {
			t.Errorf("%s becomes %+v (%+v, %v), want %+v", line, outputs, failure, err, want)
		}
	}
}

// TestFailures: an error fails the attempt, whatever else stands beside it.
func TestFailures(t *testing.T) {
	for line, want := range map[string]string{
		`{"error": "no total"}`:                               "no total",
		`{"topic":"in","value":{"a":1},"error":"no total"}`:   "no total",
		`{"error": {"code": 5}}`:                              `{"code": 5}`,
		`[{"value": 1}, {"error": "no total"}, {"value": 2}]`: "no total",
	} {
		outputs, failure, err := emitted(t, line)
		if err != nil || len(outputs) > 0 || failure == nil || failure.Message != want || failure.Kind != frame.Retry {
			t.Errorf("%s becomes %+v, %+v, %v, want a failure %q", line, outputs, failure, err, want)
		}
	}
}

// TestLinesThatAreNoAnswers have errors that say what to write.
func TestLinesThatAreNoAnswers(t *testing.T) {
	for line, want := range map[string]string{
		"":                                      "it is empty: write null for no result",
		"  ":                                    "it is empty",
		"done":                                  "it is not JSON",
		`{"value": 1`:                           "it is not JSON",
		`{"value": 1} {"value": 2}`:             "there is more after the JSON",
		`"text"`:                                `it is a JSON string: write an object, such as {"value": ...}`,
		`[1]`:                                   `it is a JSON number: write an object`,
		`{"total": 1}`:                          `unknown field "total": the fields are value,`,
		`{"key": "a", "keyBase64": "/w=="}`:     "key: it stands there twice",
		`{"value": "a", "valueBase64": "/w=="}`: "value: it stands there twice",
		`{"headers": [{"kee": "a"}]}`:           `headers: unknown field "kee"`,
		`{"headers": 5}`:                        "headers: ",
		`{"outputTopic": 5}`:                    "outputTopic: it must not be a JSON number",
		`{"timestamp": "noon"}`:                 `timestamp: "noon" is neither a time`,
		`{"offset": 8}`:                         "it is for another record than that of partition 2 and offset 7",
		`{"partition": 1}`:                      "it is for another record",
		"{\"value\": \"\xff\"}":                 "value: it is not in UTF-8: write it in base64",
	} {
		if _, _, err := emitted(t, line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", line, err, want)
		}
	}
}
