package validate

import (
	"strings"
	"testing"
)

// TestTextsWithoutQuotes: YAML has a meaning for much that expressions are made of. The
// finding says what to write.
func TestTextsWithoutQuotes(t *testing.T) {
	const unreadable = "10:14: the YAML can't be read: value needs quotes around all of its text, since YAML reads it differently: "
	for written, want := range map[string]string{
		`json.a ? "x" : "y"`:        unreadable + `write value: 'json.a ? "x" : "y"'`,
		`"a" == key`:                unreadable + `write value: '"a" == key'`,
		`"a" == "b"`:                unreadable + `write value: '"a" == "b"'`,
		`'json.name == 'x''`:        unreadable + `write value: 'json.name == ''x'''`,
		`"json.a.matches(\"\d+\")"`: unreadable + `write value: 'json.a.matches("\d+")'`,
		`"json.a""`:                 unreadable + `write value: 'json.a"'`,
		`'''`:                       unreadable + `write value: ''''`,
		`%a`:                        unreadable + `write value: '%a'`,
		`*json.a * 2`:               unreadable + `write value: '*json.a * 2'`,
		`"a: ` + strings.Repeat("x", 200) + `" + key`: unreadable + "write it in single quotes, and each ' within it twice",
		`{"a": json.b}.merge(json)`:                   unreadable + `write value: '{"a": json.b}.merge(json)'`,
		`{a: {b: !json.c}}`:                           "the YAML can't be read: did not find",
		`!json.a`:                                     `10:14: spec.processor.cel.value: YAML takes !json.a for the name of a type; write the text in quotes: '!json.a'`,
		`! json.a`:                                    `10:14: spec.processor.cel.value: YAML takes ! for the name of a type; write the text in quotes: '! json.a'`,
		`!json.a == json.b`:                           `write the text in quotes: '!json.a == json.b'`,
		`{"a": json.b}`:                               `10:7: spec.processor.cel.value: {"a":"json.b"} is an object; write text, in quotes if it looks like something else`,
		`[json.a, json.b]`:                            `10:7: spec.processor.cel.value: ["json.a","json.b"] is a list; write text, in quotes if it looks like something else`,
		`true`:                                        "10:14: spec.processor.cel.value: true is a boolean; write text, in quotes if it looks like something else",
		"[\n        json.a":                           "the YAML can't be read: did not find expected ',' or ']'",
	} {
		objects, err := File([]byte(manifest("  processor:\n    cel:\n      value: " + written + "\n      key: json.id\n")))
		if err != nil || len(objects) != 1 || len(objects[0].Findings) != 1 {
			t.Errorf("%s: %+v, error %v", written, objects, err)
			continue
		}
		if got := objects[0].Findings[0].String(); !strings.Contains(got, want) {
			t.Errorf("%s:\ngot  %s\nwant %s", written, got, want)
		}
	}
}
