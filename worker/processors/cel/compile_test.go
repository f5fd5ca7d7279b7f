package cel

import (
	"context"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
)

func TestCompileErrorsNameFieldLineAndColumn(t *testing.T) {
	_, err := New(config.CEL{
		Filter:  "json.a >",
		Key:     "nobody",
		Value:   "{\n  \"a\": offset + \"x\"\n}",
		Headers: map[string]string{"h": "timestamp('yesterday')", "empty": ""},
		Topic:   "offset",
	})
	if err == nil {
		t.Fatal("New returned no error")
	}
	for _, want := range []string{
		"processor.cel.filter:1:9: the expression ends too early",
		" | json.a >\n | ........^",
		"processor.cel.key:1:1: undeclared reference to 'nobody': write json.nobody for a field of the value",
		"processor.cel.value:2:15: + does not take (int, string): convert the text with int() or double(), or the number with string()",
		" |   \"a\": offset + \"x\"\n | ..............^",
		"processor.cel.headers.h:1:11: timestamp() can't read the text \"",
		"processor.cel.headers.empty: the expression is empty",
		"processor.cel.topic: the result must be a string, but is int",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("the error does not contain %q", want)
		}
	}
	if t.Failed() || strings.Contains(err.Error(), "ERROR") {
		t.Logf("error:\n%v", err)
	}
}

func TestFilterMustBeBool(t *testing.T) {
	want := `processor.cel.filter: the result must be a bool, but is string: compare it, such as topic == "true"`
	if _, err := New(config.CEL{Filter: "topic"}); err == nil || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}

func TestExtensions(t *testing.T) {
	rec := &worker.Record{Value: []byte(`{"s": "Straße", "l": [3, 1, 2]}`)}
	for _, expression := range []string{
		`"a,b".split(",") == ["a", "b"] && "abc".upperAscii() == "ABC"`,
		`base64.encode(b"hi") == "aGk=" && base64.decode("aGk=") == b"hi"`,
		`math.greatest(1, 3, 2) == 3 && math.ceil(1.2) == 2.0`,
		`sets.contains([1, 2], [2])`,
		`json.l.sort() == [1, 2, 3] && lists.range(3) == [0, 1, 2]`,
		`regex.extract(json.s, "a(.)") == optional.of("ß")`,
		`cel.bind(x, json.l[0], x + x == 6)`,
		`json.l.exists(i, v, i == 0 && v == 3)`,
		`json.encode({"a": 1}) == "{\"a\":1}"`,
	} {
		if outputs, err := process(t, config.CEL{Filter: expression}, rec); err != nil || len(outputs) != 1 {
			t.Errorf("%s: not true, error %v", expression, err)
		}
	}
}

func TestCostIsLimited(t *testing.T) {
	value := "[" + strings.TrimSuffix(strings.Repeat("1,", 300), ",") + "]"
	rec := &worker.Record{Value: []byte(value)}
	_, err := process(t, config.CEL{Filter: "json.all(a, json.all(b, json.all(c, a == c)))"}, rec)
	want := "processor.cel.filter: the evaluation costs more than 10000000 units"
	if err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
	if _, err := process(t, config.CEL{Filter: "json.all(a, json.all(b, a == b))"}, rec); err != nil {
		t.Errorf("90,000 comparisons exceed the limit: %v", err)
	}
}

// All goroutines share one processor, each with other records.
func TestConcurrentUse(t *testing.T) {
	p := compiled(t, config.CEL{
		Filter: "json.keep", Key: "json.id", Value: `{"id": json.id}.merge({"n": json.list.map(x, x * 2), "at": offset})`,
		Headers: map[string]string{"h": "headers.h[0]"}, Topic: "json.topic",
	})
	const goroutines, records = 8, 300
	done := make(chan error)
	for g := range goroutines {
		go func() { done <- runConcurrently(p, g, records) }()
	}
	for range goroutines {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if err := p.Process(context.Background(), &worker.Record{Value: []byte("{")}, new(worker.Outputs)); err == nil {
		t.Error("malformed JSON caused no error")
	}
}
