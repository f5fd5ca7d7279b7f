package cel

import (
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/failure"
)

// FuzzTextFunctions checks that no text makes a function of this package panic, which
// cel-go would report as an internal error, and that each error is permanent.
func FuzzTextFunctions(f *testing.F) {
	var processors []*Processor
	for _, expression := range []string{
		"keyValues(value)", "url.parse(value)", "url.build(url.parse(value))", "url.decode(value)", "json.parse(value)",
		"json.parse(value).orValue({}).merge({'a': {'b': 1}}).with('a.b', 2).without(value).only([value])",
		"grok(value, value)", `grok(value, "%{COMBINEDLOG}")`, "regex.captures(value, value)", "base64.decodeUrl(value)",
		"time.parse(value, value)", "time.format(timestamp(0), value)", "time.format(timestamp(0), '%F', value)",
		"time.parse(value, '%d/%b/%Y:%H:%M:%S %z')", "number.format(double(value), 2, value)", "uuid(value) + sha256(value)",
		"json.sum()", "json.max()", "json.sort()", "json.map(x, json.with(value, x))", "json.reduce(t, x, dyn(0), t + x)",
	} {
		p, err := New(config.CEL{Value: expression})
		if err != nil {
			f.Fatalf("%s: %v", expression, err)
		}
		processors = append(processors, p)
	}
	for _, seed := range []string{
		"", `a=1 b="x \"y" c`, "https://u@[::1]:80/a%20b?x=1&x=2#f", `{"a": {"b": [1, {"c": null}]}, "d.e": 2.50}`, "[3, 1.5, 2]", "%{WORD:w:int} %{IP:ip}",
		"(?P<a>x)|(y", "01/Mar/2026:09:15:00 +0100", "%Y-%m-%dT%T.%f%:z", "Europe/Berlin", "1e300", "a\\.b.c", `["a", null, {}]`, "%", "=", `="`,
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		rec := &worker.Record{Value: []byte(text)}
		for _, p := range processors {
			err := p.Process(t.Context(), rec, new(worker.Outputs))
			if err != nil && (strings.Contains(err.Error(), "internal error") || strings.Contains(err.Error(), noOverload) || !failure.IsPermanent(err)) {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}
