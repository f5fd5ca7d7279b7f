package cases

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
)

// splitter emits a record for each word of a value, and fails on "bad".
var splitter = worker.Func(func(_ context.Context, rec *worker.Record) (out []worker.Output, err error) {
	if string(rec.Value) == "bad" {
		return nil, errors.New("a bad value")
	}
	for word := range strings.FieldsSeq(string(rec.Value)) {
		out = append(out, worker.Output{Value: []byte(word)})
	}
	return out, nil
})

func run(t *testing.T, policy config.OnExhausted, text string) string {
	t.Helper()
	list, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	cfg := config.Config{Input: config.Input{Topic: "in"}, Output: config.Output{Topic: "out"}, Failure: config.Failure{OnExhausted: policy}}
	var lines []string
	for i := range list {
		lines = append(lines, list[i].Run(context.Background(), cfg, splitter)...)
	}
	return strings.Join(lines, "\n")
}

func TestRun(t *testing.T) {
	for name, c := range map[string]struct {
		policy config.OnExhausted
		text   string
		want   string
	}{
		"as expected": {
			config.ToDeadLetter,
			"cases: [{name: a, in: [{key: k, value: a b}, {value: bad}], out: [{key: k, value: a}, {topic: out, value: b}], deadLetters: [{value: bad, error: bad v}]}]", "",
		},
		"another value": {
			config.Drop, "cases: [{name: a, in: [{value: a b c}], out: [{value: a}, {value: x}, {value: c}]}]",
			"out (- expected, + got):\n    {\"value\": \"a\"}\n  - {\"value\": \"x\"}\n  + {\"value\": \"b\"}\n    {\"value\": \"c\"}",
		},
		"one missing": {
			config.Drop, "cases: [{name: a, in: [{value: b}], out: [{value: a}, {value: b}]}]",
			"out (- expected, + got):\n  - {\"value\": \"a\"}\n    {\"value\": \"b\"}",
		},
		"one too many": {
			config.Drop, `cases: [{name: a, in: [{value: '{"n":1} b', headers: {h: [x, null]}}], out: [{value: b}]}]`,
			"out (- expected, + got):\n  + {\"topic\": \"out\", \"key\": null, \"value\": {\"n\":1}, \"headers\": {\"h\":[\"x\",null]}}\n    {\"value\": \"b\"}",
		},
		"only the parts that are named": {
			config.Drop, "cases: [{name: a, in: [{key: k, value: a, headers: {x: a, y: b}}], out: [{headers: {x: c}}]}]",
			"out (- expected, + got):\n  - {\"headers\": {\"x\":\"c\"}}\n  + {\"headers\": {\"x\":\"a\"}}",
		},
		"a failure": {
			config.ToDeadLetter, "cases: [{name: a, in: [{value: bad}]}]",
			"deadLetters (- expected, + got):\n  + {\"key\": null, \"value\": \"bad\", \"error\": \"a bad value\"}",
		},
		"no failure": {
			config.Drop, "cases: [{name: a, in: [{value: a}], out: [{value: a}], dropped: [{value: a, error: bad}]}]",
			"dropped (- expected, + got):\n  - {\"value\": \"a\", \"error\": \"bad\"}",
		},
		"another error": {
			config.Drop, "cases: [{name: a, in: [{value: bad}], dropped: [{value: bad, error: worse}]}]",
			"dropped (- expected, + got):\n  - {\"value\": \"bad\", \"error\": \"worse\"}\n  + {\"value\": \"bad\", \"error\": \"a bad value\"}",
		},
		"a halted partition is read no further": {
			config.Halt, "cases: [{name: a, in: [{value: a}, {value: bad}, {value: c}, {value: bad}], out: [{value: a}], halted: [{value: bad}]}]", "",
		},
		"the list of another policy": {
			config.Drop, "cases: [{name: a, in: [{value: bad}], deadLetters: [{value: bad}]}]",
			"spec.failure.onExhausted is Drop: write the records that fail under dropped instead of deadLetters",
		},
	} {
		t.Run(name, func(t *testing.T) {
			if got := run(t, c.policy, c.text); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"cases: [{name: a, in: [{value: 1}], outs: []}]": "line 1: cases[0].outs: there is no such field; did you mean out?",
		"cases:\n- name: a\n  in:\n  - {valu: 1}\n  - {source: 2}": "line 4: cases[0].in[0].valu: there is no such field; did you mean value?\n" +
			"line 5: cases[0].in[1].source: there is no such field; the fields of a record are key, value, headers, timestamp, topic, partition, offset",
		"cases: [{name: a, in: [{value: 1}], out: [{offset: 3}]}]":     "cases[0].out[0].offset",
		"cases: [{name: a, in: [{partition: x}]}]":                     "cases[0].in[0].partition",
		"cases: [{name: a, in: {value: {n: 1}}}]":                      "is not of the right type: write a list",
		"cases: [{in: [{value: 1}]}]":                                  "line 1: cases[0].name: it is not set",
		"cases: [{name: a}]":                                           "cases[0].in: it is empty",
		"cases: [{name: a, in: [{timestamp: now}]}]":                   "cases[0].in[0].timestamp: \"now\" is not a time",
		"cases: [{name: a, in: [{}], out: [{timestamp: 2026-01-02}]}]": "cases[0].out[0].timestamp",
		"cases: []": "it has no cases",
		"":          "it has no cases",
		"cases: [{": "YAML",
	} {
		if _, err := Parse([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v does not say %s", text, err, want)
		}
	}
	list, err := Parse([]byte("# cases\ncases:\n- name: a\n  in: [{}]\n\n- {name: b, in: [{}]}\n"))
	if err != nil || len(list) != 2 || list[0].Line != 3 || list[1].Line != 6 {
		t.Errorf("got %+v, error %v", list, err)
	}
}

func TestParseRecord(t *testing.T) {
	rec, err := ParseRecord([]byte(`{"topic": "t", "key": "a\"b", "value": {"n": 1.10, "a": 12345678901234567890}, "headers": {"b": ["x", null], "a": 5},
		"timestamp": "2026-01-02T03:04:05.678+01:00", "partition": 3, "offset": 17}`))
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 1, 2, 2, 4, 5, 678e6, time.UTC)
	if string(rec.Key) != `a"b` || string(rec.Value) != `{"n":1.10,"a":12345678901234567890}` || rec.Partition != 3 || rec.Offset != 17 || !rec.Timestamp.Equal(at) {
		t.Errorf("got %+v", rec)
	}
	var headers []string
	for _, h := range rec.Headers {
		headers = append(headers, h.Key+"="+string(h.Value))
	}
	if got := strings.Join(headers, " "); got != "a=5 b=x b=" || rec.Headers[2].Value != nil {
		t.Errorf("headers %s", got)
	}
	for text, want := range map[string]string{
		`{"keys": 1}`: "keys", `{"key": `: "not a JSON object", `{"partition": "x"}`: "partition", `[]`: "not a JSON object", `{"timestamp": "x"}`: "timestamp",
	} {
		if _, err := ParseRecord([]byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v does not say %s", text, err, want)
		}
	}
	if rec, err := ParseRecord([]byte(`{"key": null, "value": ""}`)); err != nil || rec.Key != nil || rec.Value == nil {
		t.Errorf("got %+v, error %v; want a null key and an empty value", rec, err)
	}
}

// TestSame: text is compared as it is, JSON by its content.
func TestSame(t *testing.T) {
	for _, c := range []struct {
		want string
		got  []byte
		same bool
	}{
		{``, nil, true},
		{``, []byte("a"), true},
		{`null`, nil, true},
		{`null`, []byte{}, false},
		{`""`, []byte{}, true},
		{`""`, nil, false},
		{`"{\"a\": 1}"`, []byte(`{"a": 1}`), true},
		{`"{\"a\": 1}"`, []byte(`{"a":1}`), false},
		{`{"a": 1, "b": [true, null]}`, []byte(`{"b":[true,null], "a":1.0}`), true},
		{`{"a": 1}`, []byte(`{"a":1,"b":2}`), false},
		{`[1, 2]`, []byte(`[2,1]`), false},
		{`9007199254740993`, []byte(`9007199254740992`), false},
		{`0.5`, []byte(`5e-1`), true},
		{`1`, []byte(`"1"`), false},
		{`1`, []byte(`1 2`), false},
		{`1`, []byte(`x`), false},
	} {
		if got := same([]byte(c.want), c.got); got != c.same {
			t.Errorf("same(%s, %q) = %t", c.want, c.got, got)
		}
	}
}
