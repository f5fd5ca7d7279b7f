package cel

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/failure"
)

// TestValues: each element becomes a record, in the order of the list.
func TestValues(t *testing.T) {
	rec := &worker.Record{
		Key: []byte("k"), Value: []byte(`{"lines": [{"sku": "A", "n": 1.50}, {"sku": "B"}], "empty": [], "text": "a,b"}`),
		Headers: []worker.Header{{Key: "keep", Value: []byte("1")}},
	}
	value := func(texts ...string) (outputs []worker.Output) {
		for _, text := range texts {
			outputs = append(outputs, worker.Output{Value: []byte(text)})
		}
		return outputs
	}
	withKeys := value(`{"n":1.50,"sku":"A"}`, `{"sku":"B"}`)
	withKeys[0].Key, withKeys[1].Key = []byte("A"), []byte("B")
	for name, c := range map[string]struct {
		cfg  config.CEL
		want []worker.Output
	}{
		"objects": {config.CEL{Values: "json.lines"}, value(`{"n":1.50,"sku":"A"}`, `{"sku":"B"}`)},
		"texts":   {config.CEL{Values: `json.text.split(",")`}, value("a", "b")},
		"others":  {config.CEL{Values: `[1, true, "", [2]]`}, value("1", "true", "", "[2]")},
		"null":    {config.CEL{Values: `[null, json.?none]`}, []worker.Output{{}, {}}},
		"value":   {config.CEL{Values: `[value, key]`}, value(string(rec.Value), "k")},
		"none":    {config.CEL{Values: "json.empty"}, nil},
		"dropped": {config.CEL{Filter: "false", Values: "json.lines"}, nil},
		"keys":    {config.CEL{Values: "json.lines", Key: "element.sku"}, withKeys},
		"one key": {config.CEL{Values: `["a", "b"]`, Key: "null"}, []worker.Output{{Value: []byte("a"), NullKey: true}, {Value: []byte("b"), NullKey: true}}},
		"topics": {config.CEL{Values: `["a", "b"]`, Topic: `element + string(index)`}, []worker.Output{
			{Value: []byte("a"), Topic: "a0"}, {Value: []byte("b"), Topic: "b1"},
		}},
		"headers": {config.CEL{Values: `["a", "b"]`, Headers: map[string]string{"i": "index"}}, []worker.Output{
			{Value: []byte("a"), Headers: []worker.Header{{Key: "keep", Value: []byte("1")}, {Key: "i", Value: []byte("0")}}},
			{Value: []byte("b"), Headers: []worker.Header{{Key: "keep", Value: []byte("1")}, {Key: "i", Value: []byte("1")}}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := process(t, c.cfg, rec)
			if err != nil || len(got) != len(c.want) || len(got) > 0 && !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, error %v; want %+v", got, err, c.want)
			}
		})
	}
}

// TestValuesFailWhole: a record of which one result fails has none.
func TestValuesFailWhole(t *testing.T) {
	rec := &worker.Record{Value: []byte(`{"lines": [{"sku": "A"}, {}], "n": 1}`)}
	for _, c := range []struct {
		cfg  config.CEL
		want string
	}{
		{config.CEL{Values: "json.n"}, "processor.cel.values: the result must be a list, but is an int: write [json.n] for one record"},
		{config.CEL{Values: "json.none"}, `processor.cel.values:1:5: json has no field "none": test has(json.none) first, or write json.?none.orValue(...) to name a value for this case`},
		{config.CEL{Values: "json"}, "processor.cel.values: the result must be a list, but is a map: write [json] for one record"},
		{config.CEL{Values: "[1, type(1)]"}, "processor.cel.values: the result can't be written as JSON: a value of type type has no JSON form, at element 1"},
		{config.CEL{Values: "json.lines", Key: "element.sku"}, `processor.cel.key:1:8: element has no field "sku": test has(element.sku) first, or write element.?sku.orValue(...) to name a value for this case, at element 1`},
		{config.CEL{Values: "json.lines", Topic: "index"}, "processor.cel.topic: the result must be a string, but is int: write string(index)"},
	} {
		p, err := New(c.cfg)
		var out worker.Outputs
		if err == nil {
			err = p.Process(t.Context(), rec, &out)
			if !failure.IsPermanent(err) {
				t.Errorf("%+v: the error is not permanent", c.cfg)
			}
		}
		if err == nil || err.Error() != c.want {
			t.Errorf("%+v: error %v, want %s", c.cfg, err, c.want)
		}
	}
}

func TestValuesDontCompile(t *testing.T) {
	for want, cfg := range map[string]config.CEL{
		"processor.cel.values: value is set too":                                                 {Values: "[1]", Value: "1"},
		"processor.cel.values: the result must be a list, but is int":                            {Values: "1"},
		"processor.cel.key:1:1: element is known to key, topic and headers, if values is set":    {Key: "element"},
		"processor.cel.values:1:2: index is known to key, topic and headers, if values is set":   {Values: "[index]"},
		"processor.cel.filter:1:1: element is known to key, topic and headers, if values is set": {Filter: "element == 1", Values: "[1]"},
	} {
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: error %v, want %s", cfg, err, want)
		}
	}
}

// TestOutputsAreBounded: the outputs of a record are in memory together.
func TestOutputsAreBounded(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for want, c := range map[string]struct {
		cfg config.CEL
		rec worker.Record
	}{
		"the list has 10001 elements, and a record may have 10000 results": {config.CEL{Values: "lists.range(10001)"}, worker.Record{}},
		"the results have more than 64 MiB together, at element 64":        {config.CEL{Values: "lists.range(70).map(i, value)"}, worker.Record{Value: []byte(long)}},
		"more than 64 MiB together, at element 63":                         {config.CEL{Values: "lists.range(100)"}, worker.Record{Key: []byte(long)}},
		"more than 64 MiB together, at element 31": {
			config.CEL{Values: "lists.range(100)", Headers: map[string]string{"h": "key"}},
			worker.Record{Key: []byte(long), Headers: []worker.Header{{Key: "i", Value: []byte("x")}}},
		},
		"their evaluations for the elements of values cost more than 10000000 units together": {
			config.CEL{Values: "lists.range(10000)", Key: "sha256(value)"}, worker.Record{Value: []byte(long[:1<<16])},
		},
	} {
		_, err := process(t, c.cfg, &c.rec)
		if err == nil || !strings.Contains(err.Error(), want) || !failure.IsPermanent(err) {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	if outputs, err := process(t, config.CEL{Values: "lists.range(10000)", Key: "index"}, &worker.Record{}); err != nil || len(outputs) != 10_000 {
		t.Errorf("%d outputs, error %v; want as many as a record may have", len(outputs), err)
	}
}

// TestDeadlineEndsValues: expressions that are evaluated for each element end with the
// attempt.
func TestDeadlineEndsValues(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	p := compiled(t, config.CEL{Values: "json", Key: "element"})
	err := p.Process(ctx, &worker.Record{Value: []byte(`["a"]`)}, new(worker.Outputs))
	if !errors.Is(err, context.Canceled) || failure.IsPermanent(err) {
		t.Errorf("error %v, want the context's", err)
	}
}

// TestElementEndsWithItsRecord: the variables of one record are not those of the next.
func TestElementEndsWithItsRecord(t *testing.T) {
	p := compiled(t, config.CEL{Values: "json", Key: `string(index) + element`})
	for i := range 3 {
		var out worker.Outputs
		if err := p.Process(t.Context(), &worker.Record{Value: fmt.Appendf(nil, `["a%d", "b%d"]`, i, i)}, &out); err != nil {
			t.Fatal(err)
		}
		for j, o := range emitted(&out) {
			if want := fmt.Sprintf("%d%c%d", j, 'a'+j, i); string(o.Key) != want {
				t.Errorf("key %s, want %s", o.Key, want)
			}
		}
	}
}
