package cel

import (
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
)

// The examples of the reference, hack/expressions, are tests of the functions too. These
// here are about their edges.
func TestFunctions(t *testing.T) {
	rec := &worker.Record{Key: []byte("k"), Value: []byte(`{"a": {"b": 1, "c": null}, "d.e": 2, "list": [{"x": 1, "y": 2}, 3], "n": null, "numbers": [1, 2.5, 3],
		"big": 12345678901234567890123, "decimals": 1.50, "text": "{\"big\": 12345678901234567890123, \"d\": 0.12345678901234567890}"}`)}
	for expression, want := range map[string]string{
		// objects
		`json.a.merge({"b": 2, "d": {}})`:                                     `{"b":2,"c":null,"d":{}}`,
		`{"a": {"x": 1}}.merge({"a": {"y": 2}, "b": 1})`:                      `{"a":{"x":1,"y":2},"b":1}`,
		`{"a": {"x": 1}}.merge({"a": null})`:                                  `{"a":null}`,
		`json.only(["a", "a.b", "none"])`:                                     `{"a":{"b":1,"c":null}}`,
		`json.only(["a.b", "list.x", "n.x"])`:                                 `{"a":{"b":1},"list":[{"x":1},null]}`,
		`json.only(["d\\.e"])`:                                                `{"d.e":2}`,
		`json.only([])`:                                                       `{}`,
		`json.a.with("b", [key]).with("c.d.e", json.n)`:                       `{"b":["k"],"c":{"d":{"e":null}}}`,
		`json.only(["list"]).without("list.x").list[0]`:                       `{"y":2}`,
		`json.a.without("c.d").without(["b", "none"])`:                        `{"c":null}`,
		`json.without(["list", "text", "numbers", "a", "n", "d\\.e"])`:        `{"big":12345678901234567890123,"decimals":1.50}`,
		`json.only(["big"]).merge({"t": timestamp("2026-01-02T03:04:05Z")})`:  `{"big":12345678901234567890123,"t":"2026-01-02T03:04:05Z"}`,
		`json.a.with("t", timestamp("2026-01-02T03:04:05Z")).t.getFullYear()`: `2026`,
		`json.a.with("x", 1).map(k, k).sort()`:                                `["b","c","x"]`,
		`json.a.with("x", 1) == {"b": 1, "c": null, "x": 1}`:                  `true`,
		`{"b": 1, "c": null, "x": 1} == json.a.with("x", 1)`:                  `true`,
		`has(json.a.with("x", 1).x) && !has(json.a.without("b").b)`:           `true`,
		`json.a.with("x", 1).?y.orValue("none")`:                              `none`,
		`size(json.a.with("x", 1))`:                                           `3`,
		`json.encode(json.a.with("x", 1))`:                                    `{"b":1,"c":null,"x":1}`,
		`json.a`:                                                              `{"b":1,"c":null}`,
		// lists
		`json.numbers.sum()`:                                     `6.5`,
		`[1, 2].sum() + [].sum()`:                                `3`,
		`[duration("1s"), duration("2m")].sum()`:                 `"121s"`,
		`[9223372036854775807, 1].sum()`:                         `9223372036854775808`,
		`["b", "a"].min() + ["b", "a"].max()`:                    `ab`,
		`[timestamp("2026-01-02T03:04:05Z")].max().getMonth()`:   `0`,
		`[1, 1.5, 2u].max()`:                                     `2`,
		`["a", "b"].reduce(t, x, "", t + x)`:                     `ab`,
		`json.numbers.reduce(best, x, 0.0, x > best ? x : best)`: `3`,
		`[2.5, 1, 2u].sort()`:                                    `[1,2,2.5]`,
		`[{"n": 2}, {"n": 1.5}].sortBy(x, x.n)[0].n`:             `1.5`,
		`json.n == null ? null : {"a": 1}`:                       ``,
		`json.n != null ? null : {"a": 1}`:                       `{"a":1}`,
		`json.a == null ? [1] : null`:                            ``,
		// time
		`time.parse("2026-03-01", "%F")`:                                                           `"2026-03-01T00:00:00Z"`,
		`time.parse("2026-03-01 09:15", "%Y-%m-%d %H:%M", "Europe/Berlin")`:                        `"2026-03-01T08:15:00Z"`,
		`time.parse("20260301T091500.25", "%Y%m%dT%H%M%S")`:                                        `"2026-03-01T09:15:00.25Z"`,
		`time.parse("1/3/26 9:05 PM", "%-d/%-m/%y %-I:%M %p")`:                                     `"2026-03-01T21:05:00Z"`,
		`time.parse("2026-03-01T09:15:00.123456+01:00", "%FT%T.%f%:z")`:                            `"2026-03-01T08:15:00.123456Z"`,
		`time.parse("Sun, 01 Mar 2026 09:15:00 GMT", "%a, %d %b %Y %T GMT")`:                       `"2026-03-01T09:15:00Z"`,
		`time.format(timestamp("2026-03-01T09:15:00.123456Z"), "%F %T.%L|%f".replace("|", " 0."))`: `2026-03-01 09:15:00.123 0.123456`,
		`time.format(timestamp("2026-03-01T09:05:00Z"), "%-d.%-m. %j %e %%")`:                      `1.3. 060  1 %`,
		`time.format(timestamp("2026-07-01T09:05:00Z"), "%H:%M %Z %z", "Europe/Berlin")`:           `11:05 CEST +0200`,
		`time.truncate(timestamp("2026-03-01T09:17:03Z"), duration("5m"))`:                         `"2026-03-01T09:15:00Z"`,
		`time.ofMillis(1772352902500)`:                                                             `"2026-03-01T08:15:02.5Z"`,
		`time.toMillis(time.ofMillis(-1))`:                                                         `-1`,
		// encodings
		`json.parse(json.text)`:                             `{"big":12345678901234567890123,"d":0.12345678901234567890}`,
		`json.parse(json.text).?d`:                          `0.12345678901234567890`,
		`json.parse("no JSON").orValue("none")`:             `none`,
		`json.parse("{\"a\":1} x").hasValue()`:              `false`,
		`json.parse("").hasValue()`:                         `false`,
		`json.encode(9007199254740993)`:                     `9007199254740993`,
		`json.encode({"b": [1, "<", null], "a": json.a})`:   `{"a":{"b":1,"c":null},"b":[1,"<",null]}`,
		`base64.encodeUrl(b"\xff\xff\xfe")`:                 `___-`,
		`base64.decodeUrl("___-")`:                          "\xff\xff\xfe",
		`base64.decodeUrl("YQ==") + base64.decodeUrl("YQ")`: `aa`,
		`url.parse("http://u@[::1]:80/a%20b?x=1&x=2&y=#f")`: `{"fragment":"f","host":"::1","path":"/a b","port":"80","query":{"x":["1","2"],"y":[""]},"scheme":"http","user":"u"}`,
		`url.build({"scheme": "https", "host": "::1", "port": 8443, "path": "/a b", "query": {"b": [1, true], "a": "&"}})`: `https://[::1]:8443/a%20b?a=%26&b=1&b=true`,
		`url.build(url.parse("https://e.example/p?a=1#f"))`:                                                                `https://e.example/p?a=1#f`,
		`url.decode(url.encode("a b&ü"))`:                                                                                  `a b&ü`,
		`sha256("")`:                                                                                                       `e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855`,
		`sha256(key) == sha256(b"k")`:                                                                                      `true`,
		`uuid("a") == uuid("a") && uuid("a") != uuid("b")`:                                                                 `true`,
		`uuid() != uuid() && uuid().matches("^[0-9a-f]{8}-[0-9a-f]{4}-4")`:                                                 `true`,
		// patterns
		`regex.captures("a=1", "(?P<k>[a-z])=(?P<v>[0-9])?(?P<w>x)?").orValue({})`:                         `{"k":"a","v":"1"}`,
		`regex.captures("z", "(?P<k>[0-9])").hasValue()`:                                                   `false`,
		`grok("x 12 0.5 abc", "%{INT:n:int} %{NUMBER:f:float} (?P<rest>.*)").orValue({})`:                  `{"f":0.5,"n":12,"rest":"abc"}`,
		`grok("99999999999999999999", "%{INT:n:int}").orValue({})`:                                         `{"n":"99999999999999999999"}`,
		`grok("10.0.0.1", "^%{IP:source.ip}$").orValue({})`:                                                `{"source.ip":"10.0.0.1"}`,
		`grok("2001:db8::1", "^%{IP:ip}$").orValue({})`:                                                    `{"ip":"2001:db8::1"}`,
		`grok("2026-03-01T09:15:00.1+01:00 WARN", "%{ISO8601:at} %{LOGLEVEL:level}").orValue({})`:          `{"at":"2026-03-01T09:15:00.1+01:00","level":"WARN"}`,
		`grok("h - - [01/Mar/2026:09:15:00 +0000] \"-\" 408 - \"-\" \"-\"", "%{COMBINEDLOG}").orValue({})`: `{"agent":"-","client":"h","ident":"-","referrer":"-","request":"-","status":408,"timestamp":"01/Mar/2026:09:15:00 +0000","user":"-"}`,
		`grok("Oct  1 00:00:00 host kernel: x", "%{SYSLOG}").orValue({})`:                                  `{"host":"host","message":"x","program":"kernel","timestamp":"Oct  1 00:00:00"}`,
		`keyValues("  a=1  flag b=\"x \\\"y\\\"\" c= d==e a=2")`:                                           `{"a":"2","b":"x \"y\"","c":"","d":"=e"}`,
		`keyValues("nothing")`: `{}`,
		// numbers
		`number.format(json.decimals, 3) + number.format(1u, 0) + number.format(-0.004, 2)`: `1.50010.00`,
		`number.format(-1234567, 2, "'")`: `-1'234'567.00`,
		`number.format(999, 0, ",")`:      `999`,
	} {
		if got := one(t, config.CEL{Value: expression}, rec); string(got.Value) != want {
			t.Errorf("%s: got %s, want %s", expression, got.Value, want)
		}
	}
}

func TestFunctionsRefuse(t *testing.T) {
	rec := &worker.Record{Value: []byte(`{"a": 1, "format": "%Q", "pattern": "%{NONE}", "text": "x"}`)}
	for expression, want := range map[string]string{
		`json.with("a.b", 1)`:                   `1:10: with: can't set "b" in an int, which has no fields`,
		`json.merge(json.a)`:                    "merge does not take (map, int): json is a map, json.a is an int",
		`json.without(json.a)`:                  "without does not take (map, int)",
		`time.parse("2026-02-30", "%F")`:        `time.parse: the text "2026-02-30" is no time in the format "%F"`,
		`time.parse("Mar  1", "%b %e")`:         `time.parse: the format "%b %e" has no year`,
		`time.parse("x", json.format)`:          `time.parse: the format "%Q" has %Q, which is none of`,
		`time.format(now(), "%F", "Mars/Base")`: `time.format: there is no time zone "Mars/Base"`,
		`time.format(now(), "%F", "Local")`:     `there is no time zone "Local"`,
		`time.truncate(now(), duration("0s"))`:  "time.truncate: the interval 0s is not above 0",
		`time.ofMillis(1772352902500000)`:       "time.ofMillis: 1772352902500000 ms are not within the years 1 to 9999",
		`url.parse("http://[")`:                 `url.parse: the text "http://[" is not a URL`,
		`url.parse("/a?b=%zz")`:                 "url.parse: the query of the URL",
		`url.parse("/%ff")`:                     "that are not UTF-8",
		`url.decode("%z")`:                      `url.decode: the text "%z" has a % that no two hexadecimal digits follow`,
		`url.build({"hots": "a"})`:              `url.build: a URL has no part "hots"`,
		`url.build({"host": [1]})`:              `url.build: the part "host" of the URL is a list`,
		`grok("x", json.pattern)`:               "grok: there is no pattern %{NONE}",
		`keyValues("a=\"x")`:                    `keyValues: the value of "a" has no closing quote`,
		`number.format(json.text, 2)`:           "number.format does not take (string, int)",
		`number.format(1, -1)`:                  "number.format: -1 decimals",
		`number.format(1, 100000)`:              "a number may have 0 to 1000",
		`number.format(0.0 / 0.0, 1)`:           "number.format: NaN has no digits",
		`json.parse("{\"a\": 1, \"a\": 2}")`:    `the member "a" at byte 9 occurs twice`,
		`hmac.sha256("a", json.text)`:           "hmac.sha256: the name of the key must be a constant text",
		`base64.decodeUrl("?")`:                 `base64.decodeUrl: the text "?" is not base64 for URLs`,
		`sha256(json.a)`:                        "sha256 does not take (int)",
	} {
		_, err := process(t, config.CEL{Value: expression}, rec)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", expression, err, want)
		}
	}
}

// TestConstantsAreChecked: a mistake in a constant format, pattern or name shows before the
// first record.
func TestConstantsAreChecked(t *testing.T) {
	for expression, want := range map[string]string{
		`time.parse(value, "%Q")`:            `processor.cel.value:1:19: the format "%Q" has %Q, which is none of %Y`,
		`time.format(now(), "%S%f")`:         `has %f, a fraction of a second, without a point before it`,
		`time.format(now(), "week 5 of %Y")`: "has text that package time takes for a part of a time",
		`time.parse(value, "%T %Z")`:         "abbreviations of zones have several meanings",
		`time.parse(value, "%")`:             "has %, which is none of",
		`grok(value, "%{WORDS:w}")`:          "there is no pattern %{WORDS}",
		`grok(value, "%{WORD:w:number}")`:    "%{WORD:w:number}: a field's type is int, float or text",
		`grok(value, "(")`:                   "missing closing )",
		`grok(value, "%{DATA}` + strings.Repeat("%{COMBINEDLOG}", 200) + `")`: "the pattern is longer than 65536 characters",
		`regex.captures(value, "a(b)")`:                                       "the pattern has no group with a name",
		`hmac.sha256(value, "customers")`:                                     `hmac.sha256: "customers" is no name of a key: write one in capital letters`,
		`json.reduce("t", x, 0, 1)`:                                           "reduce() takes two names first",
		`json.reduce(t, x, 0, t + 0.5)`:                                       "expected type 'int' but found 'double': the start of reduce() must have the type of its result, such as 0.0 for a double",
		`json.reduce(x, x, 0, 1)`:                                             "reduce() takes two names that differ",
	} {
		if err := Check(config.CEL{Value: expression}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", expression, err, want)
		}
	}
}

// TestNow: all expressions of a record see one time, and the next record sees another.
func TestNow(t *testing.T) {
	p := compiled(t, config.CEL{Filter: "now() == now()", Key: "time.toMillis(now())", Value: "time.toMillis(now())"})
	times := map[string]bool{}
	for deadline := time.Now().Add(10 * time.Second); len(times) < 2 && time.Now().Before(deadline); {
		var out worker.Outputs
		before := time.Now().Add(-time.Millisecond)
		if err := p.Process(t.Context(), &worker.Record{}, &out); err != nil || len(emitted(&out)) != 1 {
			t.Fatalf("%d outputs, error %v", len(emitted(&out)), err)
		}
		o := emitted(&out)[0]
		if string(o.Key) != string(o.Value) {
			t.Fatalf("key %s, value %s", o.Key, o.Value)
		}
		if at, err := strconv.ParseInt(string(o.Value), 10, 64); err != nil || time.UnixMilli(at).Before(before) {
			t.Fatalf("the time is %s, error %v", o.Value, err)
		}
		times[string(o.Value)] = true
	}
	if len(times) < 2 {
		t.Error("the time stands still from record to record")
	}
}

// TestHMAC: the key comes from the environment, and is checked before the first record.
func TestHMAC(t *testing.T) {
	cfg := config.CEL{Value: `hmac.sha256(value, "CUSTOMERS")`}
	for key, want := range map[string]string{
		"":      "processor.cel.value: hmac.sha256: the key CUSTOMERS is missing: set the environment variable EXPRESSION_KEY_CUSTOMERS of the worker from a Secret",
		"short": "processor.cel.value: hmac.sha256: the key in EXPRESSION_KEY_CUSTOMERS has 5 bytes",
	} {
		t.Setenv("EXPRESSION_KEY_CUSTOMERS", key)
		if _, err := New(cfg); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v, want %s", err, want)
		}
		if err := Check(cfg); err != nil {
			t.Errorf("Check needs the key: %v", err)
		}
	}
	t.Setenv("EXPRESSION_KEY_CUSTOMERS", "0123456789abcdef")
	const want = "0c806ca38a87cad91ed9f55abcb2a45358586aff964a56d422066dc2b6c0e0ff"
	if got := one(t, cfg, &worker.Record{Value: []byte("a")}); string(got.Value) != want {
		t.Errorf("got %s, want %s", got.Value, want)
	}
}
