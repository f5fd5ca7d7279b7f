package main

import (
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	wrong := baseManifest + "  processor:\n    cel:\n      filter: offset > jsn.total\n  orderring: Key\n"
	inDirectory(t, map[string]string{
		"good.yaml": baseManifest + copying, "wrong.yml": wrong, "good.test.yaml": "cases: []",
		"secret.json": `{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "user"}}`,
		"notes.txt":   "no manifest", "deep/worse.yaml": "kind: [",
	})
	const (
		valid    = "streamprocessor sample is valid\n"
		mistakes = "wrong.yml:10:24: spec.processor.cel.filter: undeclared reference to 'jsn': did you mean json?\n" +
			"wrong.yml:11:3: spec.orderring: there is no such field; did you mean ordering?\n"
	)
	for name, c := range map[string]struct {
		stdin         string
		args          []string
		want, wantErr string
	}{
		"valid":            {"", []string{"-f", "good.yaml"}, "good.yaml: " + valid, ""},
		"mistakes":         {"", []string{"-f", "wrong.yml"}, mistakes, "2 mistakes"},
		"several files":    {"", []string{"-f", "wrong.yml,good.yaml", "-f", "secret.json"}, mistakes + "good.yaml: " + valid + "secret.json: secret user is not a StreamProcessor, and was not checked\n", "2 mistakes"},
		"directory":        {"", []string{"-f", "."}, "good.yaml: " + valid + "secret.json: secret user is not a StreamProcessor, and was not checked\n" + mistakes, "2 mistakes"},
		"standard input":   {strings.Replace(baseManifest+copying, "in}", "out}", 1), []string{"-f", "-"}, "stdin:7:19: spec.output.topic: output.topic is the input topic, so the worker would read its own results again for ever: name another topic, or set output.kafka to the brokers of another cluster\n", "1 mistake"},
		"nothing to check": {"", []string{"-f", "secret.json"}, "secret.json: secret user is not a StreamProcessor, and was not checked\n", "no StreamProcessor"},
		"no file":          {"", nil, "", "-f FILE"},
		"missing file":     {"", []string{"-f", "missing.yaml"}, "", "missing.yaml"},
		"argument":         {"", []string{"good.yaml"}, "", "-f FILE"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, err := command(t, c.stdin, append([]string{"validate"}, c.args...)...)
			expect(t, stdout, err, c.want, c.wantErr)
		})
	}
}

func TestValidateAnEmptyDirectory(t *testing.T) {
	stdout, err := command(t, "", "validate", "-f", t.TempDir())
	expect(t, stdout, err, "", "has no file that ends in .yaml")
}
