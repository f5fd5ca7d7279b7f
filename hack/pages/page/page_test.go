package page

import (
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// text is a page with files, commands that go on in further lines, and their outputs.
const text = "# A page\n" +
	"```text title=\"words.txt\"\none\ntwo\n```\n" +
	"```console\n" +
	"$ cat words.txt    # it's a file\none\ntwo\n" +
	"$ cat words.txt |\\\n    grep w\ntwo\n" +
	"$ kubectl get nothing\n" +
	"```\n" +
	"```console\n" +
	"$ mkdir -p below && cd below\n" +
	"$ cat <<'END' >here\na\nb\nEND\n" +
	"$ cat here ../words.txt\na\n...\ntwo\n" +
	"```\n"

func TestSteps(t *testing.T) {
	var commands, outputs []string
	var lines []int
	for _, b := range Blocks(text) {
		for _, s := range b.Steps(text) {
			commands, outputs, lines = append(commands, s.Command), append(outputs, s.Output), append(lines, s.Line)
		}
	}
	if want := []string{
		"cat words.txt    # it's a file\n", "cat words.txt |\\\n    grep w\n", "kubectl get nothing\n",
		"mkdir -p below && cd below\n", "cat <<'END' >here\na\nb\nEND\n", "cat here ../words.txt\n",
	}; !slices.Equal(commands, want) {
		t.Errorf("commands %q, want %q", commands, want)
	}
	if want := []string{"one\ntwo\n", "two\n", "", "", "", "a\n...\ntwo\n"}; !slices.Equal(outputs, want) {
		t.Errorf("outputs %q, want %q", outputs, want)
	}
	if want := []int{7, 10, 13, 16, 17, 21}; !slices.Equal(lines, want) {
		t.Errorf("lines %d, want %d", lines, want)
	}
}

func TestProse(t *testing.T) {
	if got := Prose(text); got != "# A page\n\n\n\n" {
		t.Errorf("got %q", got)
	}
}

func TestRun(t *testing.T) {
	var got []string
	err := Run(t.Context(), text, t.TempDir(), func(r Result) { got = append(got, r.Got) })
	if want := []string{"one\ntwo\n", "two\n", "", "", "a\nb\none\ntwo\n"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, error %v, want %q", got, err, want)
	}
}

// TestDifferences: each step that differs is an error with its line, and the others run.
func TestDifferences(t *testing.T) {
	for name, c := range map[string]struct{ commands, want string }{
		"another output":              {"$ echo a\nb\n", "line 2: $ echo a\nprints\na\nand the page shows\nb\n"},
		"an output that is not shown": {"$ echo a\n", "prints\na\n"},
		"a standard error":            {"$ echo a >&2\n", "prints\na\n"},
		"a failure":                   {"$ false\n", "exit code 1"},
		"a failure that is shown":     {"$ echo 'error: no' && false\nerror: no\n", ""},
		"the end of the shell":        {"$ exit 3\n", "the shell has ended"},
		"all of them":                 {"$ echo a\n$ echo b\n", "line 3: $ echo b"},
	} {
		t.Run(name, func(t *testing.T) {
			err := Run(t.Context(), "```console\n"+c.commands+"```\n", t.TempDir(), func(Result) {})
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want %q", err, c.want)
			}
		})
	}
}

// TestStepsThatReadRunAgain: until their output is the page's, or their time is over.
func TestStepsThatReadRunAgain(t *testing.T) {
	const text = "```console\n$ echo a >>file\n$ echo b >>file; cat file\na\nb\nb\nb\n$ grep c file; echo c\nno\n```\n"
	var got []string
	r := Runner{
		Directory: t.TempDir(), Environment: append(os.Environ(), "A=b"), Patience: 3 * time.Second,
		LeavesOut: func(*Step) bool { return false },
		Reads:     func(s *Step) bool { return s.Program() == "echo" && s.Output != "" },
		Report:    func(r Result) { got = append(got, r.Got) },
	}
	err := r.Run(t.Context(), text)
	if want := []string{"", "a\nb\nb\nb\n", "c\n"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if err == nil || !strings.Contains(err.Error(), "line 8: $ grep c file") {
		t.Errorf("error %v", err)
	}
	r.Patience, r.Stops = 0, true
	if err := r.Run(t.Context(), "```console\n$ echo 1\n2\n$ echo 3\n4\n```\n"); err == nil || !strings.Contains(err.Error(), "line 2") || strings.Contains(err.Error(), "line 4") {
		t.Errorf("error %v", err)
	}
	if err := r.Run(t.Context(), "```console\n$ echo $A\nc\n```\n"); err == nil || !strings.Contains(err.Error(), "prints\nb\n") {
		t.Errorf("error %v", err)
	}
}

func TestMatches(t *testing.T) {
	for _, c := range []struct {
		shown, got string
		same       bool
	}{
		{"", "", true},
		{"a\n", "b\n", false},
		{"a\n", "a\nb\n", false},
		{"...\n", "", true},
		{"...\nb\n", "a\nb\n", true},
		{"...\nb\n", "ab\n", false},
		{"x ran for 0.9 s on y:\n  read 5  from topic a, 138,737 records/s\n", "x ran for 12.3 s on y:\n  read 5  from topic a, 9 records/s\n", true},
		{"read 5\n", "read 6\n", false},
		{"time=2026-11-23T16:20:04.404Z\n", "time=2027-01-02T03:04:05.6Z\n", true},
		{"x@sha256:" + strings.Repeat("0a", 32) + " is there\n", "x@sha256:" + strings.Repeat("1b", 32) + " is there\n", true},
		{"a.c\n", "abc\n", false},
		{"", "\x1b[0m\x1b[0m", true},
		{"HELLO\n", "\x1b[1;32mHELLO\x1b[m\n", true},
		{"NAME     AGE\norders   20s\n", "NAME     AGE\norders   1m20s\n", true},
		{"orders   3   20s\n", "orders   1   20s\n", false},
	} {
		if got := matches(c.shown, c.got); got != c.same {
			t.Errorf("matches(%q, %q) = %t", c.shown, c.got, got)
		}
	}
}

// TestUpdate: the page gets the outputs that differ, and keeps those with dots.
func TestUpdate(t *testing.T) {
	const before = "```console\n$ echo a\n$ echo b\nc\n$ echo d\n...\ne\n$ echo f\nf\n```\n"
	var results []Result
	if err := Run(t.Context(), before, t.TempDir(), func(r Result) { results = append(results, r) }); err == nil {
		t.Fatal("the outputs are the page's")
	}
	const want = "```console\n$ echo a\na\n$ echo b\nb\n$ echo d\n...\ne\n$ echo f\nf\n```\n"
	if got := Update(before, results); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}
