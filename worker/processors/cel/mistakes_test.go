package cel

import (
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
)

// TestMistakesSayWhatToWrite: words and signs of other languages, misspelled names, and
// constants that can't be right, each with its place.
func TestMistakesSayWhatToWrite(t *testing.T) {
	for expression, want := range map[string]string{
		// syntax
		`json.a = 1`:              "1:8: = is no part of the language: == compares",
		`json.a === 1`:            "=== is no part of the language: == compares",
		`json.a and json.b`:       "1:8: and is no part of the language: && is the operator",
		`json.a & json.b`:         "1:8: & is no part of the language: && is the operator",
		`json.a or json.b`:        "or is no part of the language: || is the operator",
		`not json.a`:              "not is no part of the language: ! is the operator",
		`json.a ?? 1`:             "1:9: ?? is no part of the language: an optional field is json.?field.orValue(OTHER)",
		`if json.a then 1`:        "1:1: if is no part of the language: a condition is CONDITION ? VALUE : OTHER",
		`$.a`:                     "1:1: $ is no part of the language: json is the record's value, so write json.field",
		`json.a + "x`:             `1:10: the text that begins with "\"x" has no closing quote`,
		`json['a'] + 'x`:          `1:13: the text that begins with "'x" has no closing quote`,
		`json.a.matches("\d+")`:   `1:16: \d is no escape: write \\d, or put an r before the text, such as r"\d"`,
		`json.a.split('\|')[0]`:   `1:14: \| is no escape: write \\|`,
		`json.a + "\"x`:           `1:10: the text that begins with "\"\\\"x" has no closing quote`,
		`json.a >`:                "1:9: the expression ends too early",
		`(json.a`:                 "1:8: the expression ends too early",
		`json.a json.b`:           "1:8: Syntax error: mismatched input 'json'",
		"json.a &&\n  json.b = 1": "2:10: = is no part of the language",
		`json.a ?: 1`:             "1:9: ?: is no part of the language: an optional field is json.?field.orValue(OTHER)",
		`return json.a`:           "1:1: return is no part of the language: an expression is its result",
		`json.a.map(x => x + 1)`:  "1:14: => is no part of the language: a loop is LIST.map(x, ...)",
		`json.a; json.b`:          "1:7: ; is no part of the language: an expression has one result",
		`{...json, "b": 1}`:       ".. is no part of the language: OBJECT.merge(OTHER) has the members of both",
		// names
		`json.a.avg()`:          "write LIST.sum() / double(size(LIST))",
		`round(json.a)`:         "write math.round(...)",
		`json.remove("a")`:      "write without(PATH)",
		`coalesce(json.a, 1)`:   "write json.?field.orValue(OTHER)",
		`vlaue`:                 "1:1: undeclared reference to 'vlaue': did you mean value?",
		`JSON.a`:                "did you mean json?",
		`total > 100`:           "1:1: undeclared reference to 'total': write json.total for a field of the value; the variables are json, value,",
		`json.a.upper()`:        "undeclared reference to 'upper': write upperAscii()",
		`json.a.length()`:       "undeclared reference to 'length': write size(...)",
		`json.a.lowerAsci()`:    "did you mean lowerAscii?",
		`len(json.a)`:           "write size(...)",
		`json.user-id`:          `1:11: undeclared reference to 'id': write json["user-id"]`,
		`sha256.hex(value)`:     "undeclared reference to 'sha256': it is a function: write sha256(...)",
		`nil`:                   "write null",
		`sum(json.a)`:           "sum has another form: write json.a.sum()",
		`json.a.grok("%{INT}")`: "grok has another form: write grok(json.a, ...)",
		`now().format("%Y")`:    "format does not take (timestamp, string): time.format(TIME, FORMAT) writes a time",
		`json + {"a": 1}`:       "+ does not take (dyn, map(string, int)): OBJECT.merge(OTHER) has the members of both",
		// constants
		`json.a == 18446744073709551615`:       "1:11: the number does not fit into an int: write a u after it",
		`now() - duration("1d")`:               `1:18: duration() can't read the text "1d": write a duration such as 90s, 1h30m or, for a day, 24h`,
		`value.matches("[")`:                   `1:15: the pattern "[" is no regular expression: missing closing ] at "["`,
		`matches(value, "[")`:                  `the pattern "[" is no regular expression`,
		`value.matches("(?=a)")`:               `invalid or unsupported Perl syntax at "(?=": the syntax is that of RE2, which has no lookahead`,
		`regex.extract(value, "(a)(b)")`:       `1:22: the pattern "(a)(b)" has several groups: write (?:...) for those that are not to be returned, or use regex.captures`,
		`regex.replace(value, "(", "")`:        "missing closing )",
		`grok(value, "%{INT:x")`:               `1:13: "%{INT:x" is no reference to a pattern: write %{NAME}, %{NAME:field} or %{NAME:field:int}`,
		`{"a": 1, "b": {"c": 1}, "a": 2}`:      `1:25: the object has the key "a" twice: remove one`,
		`time.parse(value, "YYYY-MM-DD")`:      `1:19: the format "YYYY-MM-DD" has no directive: write it as for strftime, such as %Y-%m-%d %H:%M:%S`,
		`time.format(timestamp, "2006-01-02")`: "has no directive: write it as for strftime",
	} {
		_, err := New(config.CEL{Value: expression})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", expression, err, want)
			continue
		}
		if strings.Count(err.Error(), "processor.cel.value:") > 1 && !strings.HasPrefix(expression, "sha256") {
			t.Errorf("%s: a second message follows from the first: %v", expression, err)
		}
	}
}

// TestErrorsAtTheEndAreExplained: the parser may report a quote where no text is left.
func TestErrorsAtTheEndAreExplained(t *testing.T) {
	text, understood := explainedSyntax(`json.a == `, "", `Syntax error: token recognition error at: '"'`)
	if want := "has no closing quote"; !understood || !strings.Contains(text, want) {
		t.Errorf("got %q, want %q", text, want)
	}
}

// TestPatternsOfRecordsSayWhatIsWrong: one that only the record has is read when it comes.
func TestPatternsOfRecordsSayWhatIsWrong(t *testing.T) {
	for expression, want := range map[string]string{
		`value.matches(key)`:           `matches: the pattern "[" is no regular expression: missing closing ] at "["`,
		`regex.extract(value, key)`:    `regex.extract: the pattern "[" is no regular expression`,
		`grok(value, "%" + "{" + key)`: `is no reference to a pattern`,
		`time.parse(value, key)`:       `the format "[" has no directive`,
	} {
		_, err := process(t, config.CEL{Value: expression}, &worker.Record{Key: []byte("["), Value: []byte("x")})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: error %v, want %s", expression, err, want)
		}
	}
}

// TestGrokTakesEscapedBraces: they stand for themselves.
func TestGrokTakesEscapedBraces(t *testing.T) {
	got := one(t, config.CEL{Value: `grok(value, r'%\{%{INT:n:int}\}').value()`}, &worker.Record{Value: []byte("%{7}")})
	if string(got.Value) != `{"n":7}` {
		t.Errorf("value %s", got.Value)
	}
}
