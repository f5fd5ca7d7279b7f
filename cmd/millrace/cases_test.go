package main

import (
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/cmd/millrace/cases"
	"github.com/millrace-dev/millrace/hack/prerequisite"
)

func TestTest(t *testing.T) {
	const passing = "cases:\n- name: copies\n  in: [{value: a}]\n  out: [{value: a}]\n"
	inDirectory(t, map[string]string{
		"copy.yaml": baseManifest + copying, "copy.test.yaml": passing,
		"other.yml": baseManifest + copying, "other.test.yml": passing + "- name: differs\n  in: [{value: a}]\n  out: [{value: b}]\n",
		"none.yaml":      baseManifest + copying,
		"container.yaml": baseManifest + "  processor: {container: {image: a}}\n", "container.test.yaml": passing,
		"sidecar.yaml": baseManifest + "  processor: {sidecar: {image: a}}\n", "sidecar.test.yaml": passing,
		"hangs.yaml":      baseManifest + "  processor: {sidecar: {image: a}}\n  failure: {timeout: 100ms, deadLetter: {topic: dlq}}\n",
		"hangs.test.yaml": "cases:\n- name: hangs\n  in: [{value: sleep 600000}]\n  deadLetters: [{error: the attempt overran its timeout of 100ms}]\n",
		"wrong.yaml":      baseManifest + copying, "wrong.test.yaml": "cases: [{name: a, inn: []}]\n",
		"invalid.yaml": baseManifest, "invalid.test.yaml": passing,
	})
	const (
		ok   = "ok    copy.test.yaml  1 case\n"
		fail = "--- FAIL: differs (other.test.yml:5)\n    out (- expected, + got):\n      - {\"value\": \"b\"}\n      + {\"value\": \"a\"}\nFAIL  other.test.yml  1 of 2 cases\n"
		none = "?     none.yaml  no cases: there is no file none.test.yaml\n"
	)
	for name, c := range map[string]struct {
		args          []string
		want, wantErr string
	}{
		"passes":         {[]string{"-f", "copy.yaml"}, ok, ""},
		"cases named":    {[]string{"-f", "copy.test.yaml"}, ok, ""},
		"fails":          {[]string{"-f", "copy.yaml", "-f", "other.yml"}, ok + fail, "1 case failed"},
		"no cases":       {[]string{"-f", "none.yaml"}, none, "no cases"},
		"some":           {[]string{"-f", "none.yaml", "-f", "copy.yaml"}, none + ok, ""},
		"container":      {[]string{"-f", "container.yaml"}, "FAIL  container.test.yaml\n    container.yaml: spec.processor.container: cases can't run a container: test the program with the package worker/workertest, or run it with millrace run --exec\n", "1 file can't be run"},
		"sidecar":        {[]string{"-f", "sidecar.yaml"}, "FAIL  sidecar.test.yaml\n    sidecar.yaml: spec.processor.sidecar: cases can't run an image: name the command of the program with --sidecar\n", "1 file can't be run"},
		"its command":    {[]string{"-f", "sidecar.yaml", "--sidecar", sidecarCommand()}, "ok    sidecar.test.yaml  1 case\n", ""},
		"its hang":       {[]string{"-f", "hangs.yaml", "--sidecar", sidecarCommand()}, "ok    hangs.test.yaml  1 case\n", ""},
		"no command":     {[]string{"-f", "sidecar.yaml", "--sidecar", "sh -c 'exit 4'"}, "FAIL  sidecar.test.yaml\n    --sidecar: the command failed before it had connected to the worker: exit status 4\n", "1 file can't be run"},
		"wrong cases":    {[]string{"-f", "wrong.yaml"}, "FAIL  wrong.test.yaml\n    wrong.test.yaml: line 1: cases[0].inn: there is no such field; did you mean in?\n", "1 file can't be run"},
		"wrong manifest": {[]string{"-f", "invalid.yaml"}, "FAIL  invalid.test.yaml\n    invalid.yaml:4:1: spec.processor: it is not set; write an object with fields such as cel, container and sidecar\n", "1 file can't be run"},
		"standard input": {[]string{"-f", "-"}, "", "-f -"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, err := command(t, "", append([]string{"test"}, c.args...)...)
			expect(t, stdout, err, c.want, c.wantErr)
		})
	}
}

// sampleCommands are the commands of the samples with a program beside the worker, and a file
// that each of them needs.
var sampleCommands = map[string]struct{ line, needs string }{
	"order-totals.yaml":      {"jq -c --unbuffered", "jq"},
	"access-log-python.yaml": {inPython + "access_log.py", pythonNeeds},
	"language-python.yaml":   {inPython + "language/classify.py", pythonNeeds},
}

// inPython begins the command of an example of the Python SDK. pythonNeeds is there when all that
// the examples need is installed.
const (
	inPython    = "env PYTHONPATH=../../worker/sdks/python/src ../../bin/sdk-python/bin/python ../../worker/sdks/python/examples/"
	pythonNeeds = "../../bin/sdk-python/.installed"
)

// withCommand returns the arguments of millrace with the command of a sample, if it needs one.
func withCommand(t *testing.T, manifest string, args ...string) []string {
	t.Helper()
	command, ok := sampleCommands[filepath.Base(manifest)]
	if !ok {
		return args
	}
	if !isThere(command.needs) {
		prerequisite.Missing(t, "%s needs %s: install it (make bin/sdk-python/.installed)", manifest, command.needs)
	}
	return append(args, "--sidecar", command.line)
}

// isThere reports whether there is a file with a path, or a program with a name.
func isThere(name string) bool {
	if strings.ContainsRune(name, filepath.Separator) {
		_, err := os.Stat(name)
		return err == nil
	}
	_, err := exec.LookPath(name)
	return err == nil
}

// TestSamplesPassTheirCases: each sample with expressions, or a program that can run here, has
// cases, and passes them.
func TestSamplesPassTheirCases(t *testing.T) {
	for _, manifest := range sampleManifests(t) {
		content, err := os.ReadFile(manifest)
		if err != nil {
			t.Fatal(err)
		}
		stdout, err := command(t, "", withCommand(t, manifest, "test", "-f", manifest)...)
		_, program := sampleCommands[filepath.Base(manifest)]
		if (program || strings.Contains(string(content), "\n    cel:")) && (err != nil || !strings.HasPrefix(stdout, "ok ")) {
			t.Errorf("%s, error %v", stdout, err)
		}
		if stdout, err := command(t, "", "validate", "-f", manifest); err != nil {
			t.Errorf("%s, error %v", stdout, err)
		}
	}
}

// sampleManifests returns the files in config/samples that hold a StreamProcessor.
func sampleManifests(t *testing.T) (files []string) {
	t.Helper()
	err := filepath.WalkDir(samples, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && filepath.Ext(path) == ".yaml" && !isCases(path) && filepath.Base(path) != "secrets.yaml" {
			files = append(files, path)
		}
		return err
	})
	if err != nil || len(files) < 7 {
		t.Fatalf("%d manifests, error %v", len(files), err)
	}
	return files
}

// sampleCases returns the cases of a sample.
func sampleCases(t *testing.T, manifest string) []cases.Case {
	t.Helper()
	text, err := os.ReadFile(casesOf(manifest))
	if err != nil {
		t.Fatal(err)
	}
	list, err := cases.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return list
}
