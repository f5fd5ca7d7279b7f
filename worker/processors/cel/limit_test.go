package cel

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/failure"
)

// numbers returns JSON with a list of n numbers.
func numbers(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "%d,", i)
	}
	return `{"l": [` + strings.TrimSuffix(b.String(), ",") + `], "m": [` + strings.TrimSuffix(b.String(), ",") + `]}`
}

func ints(n int) string { return "[" + strings.TrimSuffix(strings.Repeat("1,", n), ",") + "]" }

// objectWith returns a JSON object with n members and another one.
func objectWith(n int, another string) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `"m%d": %d, `, i, i)
	}
	return "{" + b.String() + another + "}"
}

// TestSuperlinearFunctionsAreLimited evaluates expressions that would take from seconds
// to years, or more memory than the machine has.
func TestSuperlinearFunctionsAreLimited(t *testing.T) {
	compiler, err := newCompiler()
	if err != nil {
		t.Fatal(err)
	}
	compiler.limit = 20_000 // the rest takes as much less time as the limit is lower
	long := numbers(1000)
	as := strings.Repeat("a", 20_000)
	// Each step doubles the list, so that it soon has 2^24 elements.
	doubled := func(start, result string) string {
		expression := strings.ReplaceAll(result, "it", "v24")
		for i := 24; i > 0; i-- {
			expression = fmt.Sprintf("cel.bind(v%d, v%d + v%d, %s)", i, i-1, i-1, expression)
		}
		return "cel.bind(v0, " + start + ", " + expression + ")"
	}
	nested := func(result string) string { // 10 to the 10th elements
		expression := strings.ReplaceAll(result, "it", "v10")
		for i := 10; i > 0; i-- {
			v := fmt.Sprintf("v%d", i-1)
			expression = fmt.Sprintf("cel.bind(v%d, [%s], %s)", i, strings.TrimSuffix(strings.Repeat(v+",", 10), ","), expression)
		}
		return "cel.bind(v0, [1], " + expression + ")"
	}
	for _, c := range []struct{ expression, value string }{
		{"sets.equivalent(json.l, json.m)", long},
		{"sets.contains(json.l, json.m.reverse())", long},
		{"sets.intersects(json.l, json.m.map(x, x + 100000))", long},
		{"json.l.hasExactly(json.m)", long},
		{"json.l.hasAll(json.m)", long},
		{"json.l.hasOnly(json.m)", long},
		{"json.l.hasAny(json.m.map(x, x + 100000))", long},
		{"json.l.distinct()", long},
		{"json.l.all(x, !json.m.exists(y, y == x + 100000))", long},
		{"json.l.all(x, json.m == json.l)", long},
		{"json.l.all(x, !(json.m != json.l))", long},
		{"json.l.all(x, !(-1 in json.m))", long},
		{"lists.range(json.n)", `{"n": 4000000000}`},
		{"lists.range(json.n).size() > 0", `{"n": 4000000000}`},
		{"string(value).indexOf(string(value).substring(0, 10000) + 'b')", as},
		{"string(value).lastIndexOf('b' + string(value).substring(0, 10000))", as},
		{"string(value).replace('', string(value))", as},
		{"string(value).replace('a', string(value))", as},
		{"string(value).split('').join(string(value))", as},
		{"string(value).matches(string(value))", as},
		{"regex.extract(string(value), string(value))", as},
		{"regex.extractAll(string(value), string(value) + 'b')", as},
		{"regex.replace(string(value), 'a', string(value))", as},
		{doubled("json.l", "it.size()") + " > 0 && " + doubled("json.l", "it.reverse()[0] == 1"), numbers(10)},
		{doubled("json.l", "it.slice(1, it.size())"), numbers(10)},
		{doubled("json.l", "it.sort()"), numbers(10)},
		{doubled("json.l", "it.flatten()"), numbers(10)},
		{doubled("json.l", "it.distinct()"), numbers(10)},
		{doubled("json.l", "-1 in it"), numbers(10)},
		{doubled("json.l", "math.greatest(it)"), numbers(10)},
		{doubled("json.l", "it.sortBy(x, -x)"), numbers(10)},
		{doubled("json.l.map(x, string(x))", "it.join()"), numbers(10)},
		{doubled("string(value)", "it.size()"), numbers(10)},
		{doubled("json.l", "it"), numbers(10)},
		{doubled("json.l", "json.encode(it)"), numbers(10)},
		{doubled("json.l", "'%s'.format([it])"), numbers(10)},
		{doubled("json.l", "it == it + []"), numbers(10)},
		{nested("it"), "{}"},
		{nested("it == [it][0] + []"), "{}"},
		{nested("it.flatten(10)"), "{}"},
		{nested("json.encode(it)"), "{}"},
		{nested("'%s'.format([it])"), "{}"},
		{nested("{'a': it}"), "{}"},
		{nested("json.merge({'a': it})"), "{}"},
		{doubled("json.l", "it.sum()"), numbers(10)},
		{doubled("json.l", "it.max()"), numbers(10)},
		{"json.l.reduce(text, x, '', text + string(value))", long},
		{"json.l.reduce(text, x, 'a', text + text)", numbers(60)},
		{"json.l.map(x, json.with('a', x))", objectWith(2000, `"l": `+ints(2000))},
		{"json.l.map(x, json.merge({'a': x}))", objectWith(2000, `"l": `+ints(2000))},
		{"json.l.map(x, json.without('m0'))", objectWith(2000, `"l": `+ints(2000))},
		{"json.l.map(x, sha256(value))", long},
		{"json.l.map(x, uuid(value))", long},
		{"json.l.map(x, json.parse(value))", long},
		{"json.l.map(x, json.encode(json))", long},
		{"json.l.map(x, base64.encodeUrl(value))", long},
		{"json.l.map(x, url.encode(value))", long},
		{"json.l.map(x, keyValues(value))", long},
		{"json.l.map(x, grok(value, '%{GREEDYDATA:a}'))", long},
		{"json.l.map(x, regex.captures(value, '(?P<a>.*)'))", long},
		{"grok(value, value)", strings.Repeat("%{COMBINEDLOG}", 3000)},
		{"regex.captures(value, value)", as},
		{"number.format(1e300, 3, value)", as + as},
	} {
		p, err := compiler.processor(config.CEL{Value: c.expression})
		if err != nil {
			t.Errorf("%.80s: %v", c.expression, err)
			continue
		}
		err = p.Process(t.Context(), &worker.Record{Value: []byte(c.value)}, new(worker.Outputs))
		if err == nil || !strings.Contains(err.Error(), "the evaluation costs more than 20000 units") {
			t.Errorf("%.80s: error %v, want one about its cost", c.expression, err)
		}
		if !failure.IsPermanent(err) {
			t.Errorf("%.80s: the error is not permanent", c.expression)
		}
	}
}

// TestLimitLeavesRoom evaluates the same functions on values of usual sizes.
func TestLimitLeavesRoom(t *testing.T) {
	text := strings.Repeat("2026-03-01T00:00:07.143Z GET /products/1234 200 5120\n", 500)
	for _, c := range []struct{ expression, value string }{
		{"sets.equivalent(json.l, json.m)", numbers(300)},
		{"json.l.distinct().size() == 300", numbers(300)},
		{"json.l.sort() == json.l && lists.range(100000).size() == 100000", numbers(2000)},
		{"json.l.all(x, x in json.m)", numbers(300)},
		{"string(value).replace('GET', 'POST').indexOf('DELETE') == -1", text},
		{"string(value).split('\\n').join(', ').size() > 0", text},
		{"regex.replace(string(value), '\\\\d+', '#').size() > 0", text},
		{"regex.extractAll(string(value), 'GET (\\\\S+)').size() == 500", text},
	} {
		outputs, err := process(t, config.CEL{Filter: c.expression}, &worker.Record{Value: []byte(c.value)})
		if err != nil || len(outputs) != 1 {
			t.Errorf("%s: not true, error %v", c.expression, err)
		}
	}
}

// TestDeadlineEndsAnEvaluation: the deadline of an attempt ends evaluations whose cost
// nothing else bounds, or that could go on for a second under the limit.
func TestDeadlineEndsAnEvaluation(t *testing.T) {
	quadratic := strings.Repeat("a", 200_000) // each match looks for a b up to the end
	for name, c := range map[string]struct {
		expression, value string
		timeout           time.Duration
	}{
		"extractAll": {`regex.extractAll(string(value), "a.*b|a").size()`, quadratic, 20 * time.Millisecond},
		"replace":    {`regex.replace(string(value), "a.*b|a", "x")`, quadratic, 20 * time.Millisecond},
		"loop":       {`json.l.map(x, json.m.map(y, y))`, numbers(1000), 0},
		"sets":       {`sets.equivalent(json.l, json.m)`, numbers(1000), 0},
		"distinct":   {`json.l.distinct()`, numbers(1000), 0},
	} {
		t.Run(name, func(t *testing.T) {
			p := compiled(t, config.CEL{Value: c.expression})
			ctx, cancel := context.WithTimeout(t.Context(), c.timeout)
			defer cancel()
			err := p.Process(ctx, &worker.Record{Value: []byte(c.value)}, new(worker.Outputs))
			if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "processor.cel.value: the evaluation was stopped") {
				t.Errorf("error %v, want the deadline's", err)
			}
			if failure.IsPermanent(err) {
				t.Error("the error is permanent: another attempt may have more time")
			}
		})
	}
}

func TestErrorsOfARecordArePermanent(t *testing.T) {
	for _, c := range []config.CEL{
		{Filter: "json.n > 1"},                               // the value is not JSON
		{Value: "1 / 0"},                                     //
		{Topic: "string(value).substring(0, 0)"},             // empty
		{Key: "[1.0 / 0.0]"},                                 // not to be written as JSON
		{Headers: map[string]string{"h": "headers.none[0]"}}, //
		{Filter: "dyn(value)"},                               // no bool
	} {
		_, err := process(t, c, &worker.Record{Value: []byte("malformed")})
		if err == nil || !failure.IsPermanent(err) {
			t.Errorf("%+v: error %v is not permanent", c, err)
		}
	}
}

// TestMergedObjectsCostTheirMemory: objects in objects are merged too, so a loop can make
// many of few.
func TestMergedObjectsCostTheirMemory(t *testing.T) {
	compiler, err := newCompiler()
	if err != nil {
		t.Fatal(err)
	}
	compiler.limit = 20_000
	p, err := compiler.processor(config.CEL{Value: "json.l.reduce(o, x, {'a': {}}, o.merge({'k': o, 'j': o}))"})
	if err != nil {
		t.Fatal(err)
	}
	rec, out := &worker.Record{Value: []byte(numbers(30))}, new(worker.Outputs)
	const most = 10_000
	if n := testing.AllocsPerRun(1, func() { err = p.Process(t.Context(), rec, out) }); n > most {
		t.Errorf("%v pieces of memory were allocated within the limit of the cost, want at most %d", n, most)
	}
	if err == nil {
		t.Error("the expression has no error")
	}
}
