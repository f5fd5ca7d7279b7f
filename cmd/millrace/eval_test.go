package main

import (
	"strings"
	"testing"
)

func TestEval(t *testing.T) {
	inDirectory(t, map[string]string{
		"all.yaml": baseManifest + `  processor:
    cel:
      filter: offset >= 0
      key: json.customer
      value: |
        {
          "total": json.total * 2
        }
      topic: '"other"'
      headers: {b: topic, a: "null"}
`,
		"values.yaml":    baseManifest + "  processor: {cel: {values: json.lines, key: '\"k\" + string(index)'}}\n",
		"now.yaml":       baseManifest + "  processor: {cel: {filter: 'now() - timestamp < duration(\"1h\")'}}\n",
		"filter.yaml":    baseManifest + "  processor: {cel: {filter: json.total > 100}}\n",
		"copy.yaml":      baseManifest + copying,
		"container.yaml": baseManifest + "  processor: {container: {image: a}}\n",
		"wrong.yaml":     baseManifest + "  processor: {cel: {filter: jsn}}\n",
	})
	for name, c := range map[string]struct {
		stdin         string
		args          []string
		want, wantErr string
	}{
		"in the worker's order": {
			"",
			[]string{"-f", "all.yaml", "--record", `{"value": {"customer": "c", "total": 5}, "headers": {"b": "x", "c": "y"}}`},
			`record 1
  filter     bool    true
  value      map     {"total":10}
  key        string  "c"
  topic      string  "other"
  headers.a  null    null
  headers.b  string  "in"
  => {"topic": "other", "key": "c", "value": {"total":10}, "headers": {"a":null,"b":"in","c":"y"}}
`, "",
		},
		"lines": {
			"{\"total\": 101}\n{\"total\": 1}\n{\"total\":",
			[]string{"-f", "filter.yaml"},
			`record 1
  filter  bool  true
  => {"topic": "out", "key": null, "value": {"total":101}}
record 2
  filter  bool  false
  the filter drops the record
record 3
  error: filter.yaml:8:33: spec.processor.cel.filter: json: the value is not JSON: it ends too early, at byte 9
`, "1 of 3 records failed",
		},
		"a record is of now": {
			"",
			[]string{"-f", "now.yaml", "--record", `{"value": "a"}`},
			`record 1
  filter  bool  true
  => {"topic": "out", "key": null, "value": "a"}
`, "",
		},
		"one to many": {
			"{\"lines\": [1, {\"a\": \"b\"}]}\n{\"lines\": []}\n",
			[]string{"-f", "values.yaml"},
			`record 1
  values  list    [1,{"a":"b"}]
  key     string  "k0"
  key     string  "k1"
  => {"topic": "out", "key": "k0", "value": "1"}
  => {"topic": "out", "key": "k1", "value": {"a":"b"}}
record 2
  values  list  []
  the list of values is empty, so the record has no result
`, "",
		},
		"carriage returns":      {"a\r\n", []string{"-f", "copy.yaml"}, "record 1\n  => {\"topic\": \"out\", \"key\": null, \"value\": \"a\"}\n", ""},
		"no expressions":        {"", []string{"-f", "copy.yaml", "--record", `{"value": null}`}, "record 1\n  => {\"topic\": \"out\", \"key\": null, \"value\": null}\n", ""},
		"no record":             {"", []string{"-f", "copy.yaml"}, "", "no record"},
		"not a record":          {"", []string{"-f", "copy.yaml", "--record", "x"}, "", "--record: it is not a JSON object"},
		"a value as a record":   {"", []string{"-f", "copy.yaml", "--record", `{"id": 5}`}, "", `--record: unknown field "id": the fields of a record are key, value, headers, timestamp, topic, partition, offset; if this is the value of one, write {"value": ...} around it`},
		"container":             {"", []string{"-f", "container.yaml"}, "", "container.yaml: spec.processor.container: there are no expressions"},
		"mistake":               {"", []string{"-f", "wrong.yaml"}, "", "wrong.yaml:8:29: spec.processor.cel.filter: undeclared reference to 'jsn'"},
		"no manifest":           {"", nil, "", "-f FILE"},
		"twice the same input":  {"", []string{"-f", "-"}, "", "--record"},
		"manifest on the input": {baseManifest + copying, []string{"-f", "-", "--record", `{"key": "k", "value": "v"}`}, "record 1\n  => {\"topic\": \"out\", \"key\": \"k\", \"value\": \"v\"}\n", ""},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, err := command(t, c.stdin, append([]string{"eval"}, c.args...)...)
			expect(t, stdout, err, c.want, c.wantErr)
		})
	}
}

// TestEvalShowsTheResultsBeforeAnError: the expressions before the one that fails are shown,
// and the error has its place in the manifest.
func TestEvalShowsTheResultsBeforeAnError(t *testing.T) {
	inDirectory(t, map[string]string{"a.yaml": baseManifest + "  processor:\n    cel:\n      value: json.total\n      filter: 'true'\n"})
	stdout, err := command(t, `{"id": 5}`, "eval", "-f", "a.yaml")
	if want := "record 1\n  filter  bool  true\n  error: a.yaml:10:1"; err == nil || !strings.HasPrefix(stdout, want) || !strings.Contains(stdout, "spec.processor.cel.value: ") {
		t.Errorf("wrote\n%s\nerror %v", stdout, err)
	}
}
