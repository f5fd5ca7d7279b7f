package cel

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
	"unsafe"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/record"
	"github.com/millrace-dev/millrace/worker/internal/usercode"
)

func compiled(t testing.TB, cfg config.CEL) *Processor {
	t.Helper()
	p, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func process(t testing.TB, cfg config.CEL, rec *worker.Record) ([]worker.Output, error) {
	t.Helper()
	var out worker.Outputs
	err := compiled(t, cfg).Process(context.Background(), rec, &out)
	return emitted(&out), err
}

// emitted returns the outputs that the engine would get.
func emitted(out *worker.Outputs) []worker.Output {
	list := usercode.As[record.Outputs](out).List()
	return *usercode.As[[]worker.Output](&list)
}

// one runs process and fails the test unless it emits exactly one record.
func one(t testing.TB, cfg config.CEL, rec *worker.Record) worker.Output {
	t.Helper()
	outputs, err := process(t, cfg, rec)
	if err != nil || len(outputs) != 1 {
		t.Fatalf("%d outputs, error %v; want one output", len(outputs), err)
	}
	return outputs[0]
}

func TestNoExpressionKeepsTheRecord(t *testing.T) {
	for name, value := range map[string][]byte{"value": []byte("v"), "empty": {}, "tombstone": nil} {
		got := one(t, config.CEL{}, &worker.Record{Key: []byte("k"), Value: value})
		if want := (worker.Output{Value: value}); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %#v, want %#v", name, got, want)
		}
	}
}

func TestFilter(t *testing.T) {
	rec := &worker.Record{Value: []byte(`{"n": 3}`)}
	for expression, want := range map[string]int{"json.n > 2": 1, "json.n > 3": 0, "true": 1, "false": 0} {
		outputs, err := process(t, config.CEL{Filter: expression}, rec)
		if err != nil || len(outputs) != want {
			t.Errorf("%s: %d outputs, error %v; want %d", expression, len(outputs), err, want)
		}
	}
}

// The processor evaluates no other expression for a record that the filter drops.
func TestFilteredRecordIsNotEvaluated(t *testing.T) {
	outputs, err := process(t, config.CEL{Filter: "false", Value: "1/0"}, &worker.Record{})
	if err != nil || len(outputs) != 0 {
		t.Errorf("%d outputs, error %v; want none", len(outputs), err)
	}
}

func TestKeyKeepsNullAndEmptyApart(t *testing.T) {
	rec := &worker.Record{Key: []byte("k"), Value: []byte("v")}
	for expression, want := range map[string]worker.Output{
		"":                  {},
		"null":              {NullKey: true},
		`""`:                {Key: []byte{}},
		`b""`:               {Key: []byte{}},
		`base64.decode("")`: {Key: []byte{}},
		`bytes("")`:         {Key: []byte{}},
		"key":               {Key: []byte("k")},
		"offset":            {Key: []byte("0")},
	} {
		want.Value = rec.Value
		if got := one(t, config.CEL{Key: expression}, rec); !reflect.DeepEqual(got, want) {
			t.Errorf("%q: got %#v, want %#v", expression, got, want)
		}
	}
}

func TestVariables(t *testing.T) {
	rec := &worker.Record{
		Topic: "in", Partition: 7, Offset: 1 << 40,
		Timestamp: time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.FixedZone("", 3600)),
		Key:       []byte("k"), Value: []byte(`{"a": [1, {"b": "c"}]}`),
		Headers: []worker.Header{{Key: "h", Value: []byte("1")}, {Key: "n"}, {Key: "h", Value: []byte{}}},
	}
	for _, expression := range []string{
		`topic == "in"`,
		`partition == 7`,
		`offset == 1099511627776`,
		`timestamp == timestamp("2026-01-02T02:04:05.006Z")`,
		`timestamp.getHours() == 2`,
		`key == b"k" && string(key) == "k"`,
		`value.size() == 22`,
		`headers.h == [b"1", b""]`,
		`headers["n"][0] == null`,
		`headers.size() == 2 && "h" in headers && !("x" in headers)`,
		`!has(headers.x)`,
		`headers[?"x"].orValue([b"none"])[0] == b"none"`,
		`json.a[1].b == "c"`,
	} {
		if outputs, err := process(t, config.CEL{Filter: expression}, rec); err != nil || len(outputs) != 1 {
			t.Errorf("%s: not true, error %v", expression, err)
		}
	}
}

func TestNullVariables(t *testing.T) {
	rec := &worker.Record{}
	for _, expression := range []string{
		"key == null", "value == null", "json == null", "headers == {}", "value != b''",
		"timestamp == null",
	} {
		if outputs, err := process(t, config.CEL{Filter: expression}, rec); err != nil || len(outputs) != 1 {
			t.Errorf("%s: not true, error %v", expression, err)
		}
	}
	empty := &worker.Record{Key: []byte{}, Value: []byte{}}
	if outputs, err := process(t, config.CEL{Filter: "key == b'' && value == b''"}, empty); err != nil || len(outputs) != 1 {
		t.Errorf("an empty key or value is not empty to the expression: error %v", err)
	}
}

func TestHeadersAreSetAndOthersKept(t *testing.T) {
	rec := &worker.Record{Headers: []worker.Header{
		{Key: "keep", Value: []byte("1")}, {Key: "set", Value: []byte("2")}, {Key: "set", Value: []byte("3")}, {Key: "keep"},
	}}
	got := one(t, config.CEL{Headers: map[string]string{
		"set": `string(headers.set[1]) + "!"`, "none": "null", "empty": `""`, "json": `{"a": 1}`,
	}}, rec)
	want := []worker.Header{
		{Key: "keep", Value: []byte("1")},
		{Key: "keep"},
		{Key: "empty", Value: []byte{}},
		{Key: "json", Value: []byte(`{"a":1}`)},
		{Key: "none"},
		{Key: "set", Value: []byte("3!")},
	}
	if !reflect.DeepEqual(got.Headers, want) {
		t.Errorf("got  %q\nwant %q", got.Headers, want)
	}
	if got := one(t, config.CEL{Value: `"v"`}, rec); got.Headers != nil {
		t.Errorf("without an expression the headers are %q, want the record's", got.Headers)
	}
}

func TestTopic(t *testing.T) {
	rec := &worker.Record{Value: []byte(`{"t": "a", "empty": "", "n": 1}`)}
	if got := one(t, config.CEL{Topic: `"x-" + json.t`}, rec); got.Topic != "x-a" {
		t.Errorf("topic %q, want x-a", got.Topic)
	}
	for expression, want := range map[string]string{
		"json.empty":      "processor.cel.topic: the result is empty",
		`"a b"`:           `processor.cel.topic: no topic can be called "a b": a name has up to 249 letters, digits, dots, underscores and hyphens`,
		`"orders-" + "é"`: `processor.cel.topic: no topic can be called "orders-é": a name has up to 249 letters, digits, dots, underscores and hyphens`,
		`".."`:            `processor.cel.topic: no topic can be called "..": a name has up to 249 letters, digits, dots, underscores and hyphens`,
		"json.n":          "processor.cel.topic: the result must be a string, but is an int: write string(json.n)",
		"key":             `processor.cel.topic: the result must be a string, but is null: write key == null ? "OTHER" : key`,
	} {
		if _, err := process(t, config.CEL{Topic: expression}, rec); err == nil || err.Error() != want {
			t.Errorf("%s: error %v, want %s", expression, err, want)
		}
	}
}

// Another record may use the record's memory after Process, so a topic must not refer
// to it.
func TestTopicDoesNotReferToTheRecord(t *testing.T) {
	for expression, want := range map[string]string{
		"string(value)": "first", "headers.map(name, name)[0]": "named", `string(headers["named"][0])`: "third",
	} {
		value, name, header := []byte("first"), []byte("named"), []byte("third")
		got := one(t, config.CEL{Topic: expression}, &worker.Record{
			Value:   value,
			Headers: []worker.Header{{Key: unsafe.String(unsafe.SliceData(name), len(name)), Value: header}},
		})
		for _, memory := range [][]byte{value, name, header} {
			copy(memory, "XXXXX")
		}
		if got.Topic != want {
			t.Errorf("%s: the topic has become %q", expression, got.Topic)
		}
	}
}

func TestFailingExpressions(t *testing.T) {
	rec := &worker.Record{Value: []byte(`{"a": "text"}`)}
	for _, c := range []struct {
		cfg  config.CEL
		want string
	}{
		{config.CEL{Filter: "json.a"}, `processor.cel.filter: the result must be a bool, but is a string: compare it, such as json.a == "true"`},
		{config.CEL{Value: "1/0"}, "processor.cel.value:1:2: / by zero: test the divisor first"},
		{config.CEL{Value: "0.0/0.0"}, "processor.cel.value: the result can't be written as JSON: JSON has no number for NaN: test the operands first, for example that a divisor is not 0"},
		{config.CEL{Value: "type(1)"}, "processor.cel.value: the result can't be written as JSON: a value of type type has no JSON form"},
	} {
		outputs, err := process(t, c.cfg, rec)
		if err == nil || err.Error() != c.want || len(outputs) > 0 {
			t.Errorf("%+v: %d outputs, error %v; want %s", c.cfg, len(outputs), err, c.want)
		}
	}
}

// An error outlives the record, so it must not refer to the record's memory.
func TestErrorDoesNotReferToTheRecord(t *testing.T) {
	value := []byte(`{"k": "secret"}`)
	_, err := process(t, config.CEL{Value: "json[json.k]"}, &worker.Record{Value: value})
	copy(value, `{"k": "XXXXXX"}`)
	if err == nil || !strings.Contains(err.Error(), `no field "secret"`) {
		t.Errorf("error %v, want one that names the key", err)
	}
	if inner := errors.Unwrap(errors.Unwrap(err)); inner != nil { // within the mark of a permanent one
		t.Errorf("the error wraps %#v, which may refer to the record", inner)
	}
}
