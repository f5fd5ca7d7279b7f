package validate

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the findings to testdata")

// TestFindings compares the findings about each manifest in testdata with the file beside it,
// which `go test ./cmd/millrace/validate -run TestFindings -update` writes.
func TestFindings(t *testing.T) {
	files, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files, error %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			got := report(t, read(t, file))
			golden := strings.TrimSuffix(file, ".yaml") + ".txt"
			if *update {
				if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			if want := read(t, golden); got != want {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
			for _, technical := range []string{`Go (value|struct)`, `v1alpha1\.`, `metav1|corev1`, `\(\[`, `regular expression`, `evaluating rule`, `%!`, `in body`} {
				if regexp.MustCompile(technical).MatchString(got) {
					t.Errorf("the findings have technical words, %s:\n%s", technical, got)
				}
			}
		})
	}
}

func report(t *testing.T, text string) string {
	t.Helper()
	objects, err := File([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	for _, o := range objects {
		fmt.Fprintf(&out, "%s %s, other %t, %d findings\n", o.Kind, o.Name, o.Other, len(o.Findings))
		for _, f := range o.Findings {
			fmt.Fprintln(&out, f)
		}
	}
	return out.String()
}

func read(t *testing.T, file string) string {
	t.Helper()
	content, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}

// manifest returns a valid StreamProcessor with further lines of its spec.
func manifest(spec string) string {
	return `apiVersion: millrace.dev/v1alpha1
kind: StreamProcessor
metadata: {name: copy}
spec:
  kafka: {bootstrapServers: ["kafka:9092"]}
  input: {topic: in}
  output: {topic: out}
` + spec
}

// TestPlacesInExpressions: a mistake in an expression is shown where its author has written
// it, whatever YAML does to the text.
func TestPlacesInExpressions(t *testing.T) {
	for name, spec := range map[string]string{
		"plain":             "filter: offset > HERE",
		"single quotes":     "filter: 'key == ''a'' && HERE'",
		"double quotes":     `filter: "key == \"\u00e4\\n\" \t&& HERE"`,
		"literal":           "filter: |\n        key == 'a' &&\n\n          HERE",
		"literal, stripped": "filter: |-   # why\n        HERE",
		"folded":            "filter: >\n        key == 'a' &&\n        HERE",
		"several lines":     "filter: key == 'a' &&\n        offset > 1 && HERE",
		"joined lines":      "filter: \"key == 'a' \\\n        && HERE\"",
		"characters":        "filter: key == 'äöü' && HERE",
		"anchor and tag":    "filter: &a !!str 'true && HERE'",
		"alias":             "value: &a \"HERE\"\n      filter: *a",
		"header":            "headers: {a.b: '1 + HERE'}",
		"merged":            "<<: {filter: HERE}",
	} {
		t.Run(name, func(t *testing.T) {
			text := manifest("  processor:\n    cel:\n      " + spec + "\n")
			line, column := 0, 0
			for i, l := range strings.Split(text, "\n") {
				if before, _, ok := strings.Cut(l, "HERE"); ok {
					line, column = i+1, len([]rune(before))+1
				}
			}
			objects, err := File([]byte(text))
			if err != nil || len(objects) != 1 || len(objects[0].Findings) == 0 {
				t.Fatalf("%+v, error %v in\n%s", objects, err, text)
			}
			for _, f := range objects[0].Findings {
				if f.Line != line || f.Column != column || !strings.Contains(f.Problem, "HERE") {
					t.Errorf("got %v, want %d:%d in\n%s", f, line, column, text)
				}
			}
		})
	}
}

// TestTheEndOfAnExpression: a mistake at the end is shown after the last character.
func TestTheEndOfAnExpression(t *testing.T) {
	for name, spec := range map[string]string{"plain": "filter: offset >!", "literal": "filter: |\n        offset >!\n"} {
		text := manifest("  processor:\n    cel:\n      " + spec + "\n")
		before, _, _ := strings.Cut(text, "!")
		line, column := strings.Count(before, "\n")+1, len(before)-strings.LastIndex(before, "\n")
		objects, err := File([]byte(strings.Replace(text, "!", "", 1)))
		if err != nil || len(objects[0].Findings) != 1 {
			t.Fatalf("%s: %+v, error %v", name, objects, err)
		}
		if f := objects[0].Findings[0]; f.Line != line || f.Column != column {
			t.Errorf("%s: got %v, want %d:%d", name, f, line, column)
		}
	}
}

// TestOneMistakeIsReportedOnce: what follows from a mistake is not reported.
func TestOneMistakeIsReportedOnce(t *testing.T) {
	const processor = "  processor: {cel: {}}\n"
	for spec, want := range map[string]string{
		processor + "  delivry: ExactlyOnce\n  transaction: {}\n":                       "did you mean delivery?",
		processor + "  delivery: ExactlyOnze\n  transaction: {}\n":                      "did you mean ExactlyOnce?",
		processor + "  delivery: 5\n  transaction: {}\n":                                "5 is a number",
		processor + "  guarantee: ExactlyOnce\n  transaction: {}\n":                     "there is no such field",
		processor + "  failure: {onExhausted: DeadLetter, deadLetters: {topic: dlq}}\n": "did you mean deadLetter?",
		"  processer: {cel: {}}\n":                                                      "did you mean processor?", //nolint:misspell // on purpose
		"  processor: {cel: [1]}\n":                                                     "[1] is a list",
		"  processor: {container: {}}\n":                                                "it is not set; write a container image",
		processor + "  failure: {timeout: 0s}\n":                                        `"0s" is not allowed; write a duration from 1ms`,
		processor + "  failure: {timeout: 90}\n":                                        "90 is a number; write a duration from 1ms",
		processor + "  failure: {maxAttempts: 0}\n":                                     "0 is out of bounds; write a whole number from 1 to 1000",
		processor + "  replicas: 3000000000\n":                                          "3000000000 is out of bounds",
		processor + "  suspend: yes please\n":                                           "write true or false",
		processor + "  logLevel: debug\n":                                               "did you mean Debug?",
		processor + "  inFlight: {bytes: 1 GB}\n":                                       `"1 GB" is`,
		processor + "  retries: 3\n":                                                    "there is no such field",
		processor + "  backoff: {initial: 1s}\n":                                        "did you mean spec.failure.backoff?",
	} {
		objects, err := File([]byte(manifest(spec)))
		if err != nil || len(objects) != 1 {
			t.Fatalf("%d objects, error %v", len(objects), err)
		}
		if f := objects[0].Findings; len(f) != 1 || !strings.Contains(f[0].Problem, want) {
			t.Errorf("%s: got %q, want one finding: %s", spec, f, want)
		}
	}
}

func TestNearest(t *testing.T) {
	words := []string{"topic", "groupId", "startOffset", "isolation", "key"}
	for word, want := range map[string]string{
		"Topic": "topic", "tpoic": "topic", "groupID": "groupId", "startOfset": "startOffset", "start_offset": "startOffset",
		"isolationLevel": "", "kye": "key", "ley": "key", "": "", "value": "", strings.Repeat("x", 300): "",
	} {
		if got := Nearest(word, words); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestLocate(t *testing.T) {
	text := manifest("  processor:\n    cel:\n      value: |\n        json.a\n          + json.b\n")
	for message, want := range map[string]string{
		"processor.cel.value:2:5: no such key": "12:13: spec.processor.cel.value: no such key",
		"processor.cel.value: not JSON: a: b":  "10:14: spec.processor.cel.value: not JSON: a: b",
		"panic: a":                             "1:1: panic: a",
	} {
		got := Locate([]byte(text), fmt.Errorf("%s", message))
		if len(got) != 1 || got[0].String() != want {
			t.Errorf("%s: got %q, want %s", message, got, want)
		}
	}
}

// FuzzFile: no text makes the checks panic, and no finding is outside of the file.
func FuzzFile(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.yaml")
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(content))
	}
	f.Fuzz(func(t *testing.T, text string) {
		objects, err := File([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		lines := strings.Count(text, "\n") + 1
		for _, o := range objects {
			for _, finding := range o.Findings {
				if finding.Line < 1 || finding.Line > lines+1 || finding.Column < 1 || strings.Contains(finding.Problem, "\n") {
					t.Errorf("%+v in %d lines", finding, lines)
				}
			}
		}
	})
}

// TestAMisspeltKind: the rest of the object is checked all the same. Of another version the
// fields are not known.
func TestAMisspeltKind(t *testing.T) {
	good := manifest("  processor: {cel: {}}\n  orderring: Key\n")
	for text, want := range map[string][]string{
		strings.Replace(good, "kind: StreamProcessor", "kind: StreamProcesor", 1): {
			`2:7: kind: "StreamProcesor" is not allowed; write StreamProcessor`,
			"9:3: spec.orderring: there is no such field; did you mean ordering?",
		},
		strings.NewReplacer("kind: StreamProcessor", "kind: StreamProcesor", "/v1alpha1", "/v1").Replace(good): {
			`1:13: apiVersion: "millrace.dev/v1" is not allowed; write millrace.dev/v1alpha1`,
			`2:7: kind: "StreamProcesor" is not allowed; write StreamProcessor`,
		},
		strings.Replace(good, "{name: copy}", "{name: copy, namespace: My_NS}", 1): {
			`3:35: metadata.namespace: "My_NS" is not allowed; write at most 63 lower-case letters, digits and '-', neither beginning nor ending with '-'`,
			"9:3: spec.orderring: there is no such field; did you mean ordering?",
		},
	} {
		objects, err := File([]byte(text))
		if err != nil || len(objects) != 1 {
			t.Fatalf("%+v, error %v", objects, err)
		}
		var got []string
		for _, f := range objects[0].Findings {
			got = append(got, f.String())
		}
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q of\n%s", got, want, text)
		}
	}
}
