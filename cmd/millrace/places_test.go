package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestRunDestroysNoFile: a file that a run reads, or writes under another name, is
// refused as its output, however it is named, and stays as it is.
func TestRunDestroysNoFile(t *testing.T) {
	manifest := baseManifest + copying
	for name, c := range map[string]struct {
		args []string // in the directory of the files
		want []string
	}{
		"the input":                {[]string{"--input-file", "in", "--output-file", "in"}, []string{"--input-file in", "--output-file in"}},
		"the input by a path":      {[]string{"--input-file", "in", "--output-file", "./sub/../in"}, []string{"--output-file ./sub/../in"}},
		"the input by a link":      {[]string{"--input-file", "in", "--output-file", "link"}, []string{"--output-file link"}},
		"the input by a hard link": {[]string{"--input-file", "hard", "--summary", "in"}, []string{"--input-file hard", "--summary in"}},
		"the manifest":             {[]string{"--output-file", "manifest.yaml"}, []string{"-f manifest.yaml", "--output-file"}},
		"one output twice":         {[]string{"--output-file", "new", "--summary", "sub/../new"}, []string{"--output-file new", "--summary sub/../new"}},
		"a link to a new file":     {[]string{"--output-file", "new", "--summary", "dangling"}, []string{"--output-file new", "--summary dangling"}},
		"two names of a stream":    {[]string{"--output-file", "-", "--summary", "-"}, []string{"--output-file -", "--summary -"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			t.Chdir(dir)
			for file, content := range map[string]string{"in": "1\n", "manifest.yaml": manifest} {
				if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			for _, err := range []error{
				os.Mkdir("sub", 0o700), os.Symlink("in", "link"), os.Link("in", "hard"), os.Symlink(filepath.Join(dir, "new"), "dangling"),
			} {
				if err != nil {
					t.Fatal(err)
				}
			}
			err := runIn(t, append([]string{"-f", "manifest.yaml", "--until-drained"}, c.args...)...)
			if err == nil || !strings.Contains(err.Error(), "the same file") {
				t.Fatalf("error %v", err)
			}
			for _, want := range c.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not name %q", err, want)
				}
			}
			if text(t, "in") != "1\n" || text(t, "manifest.yaml") != manifest {
				t.Error("a file has changed")
			}
			if _, err := os.Lstat("new"); err == nil {
				t.Error("a file was created")
			}
		})
	}
}

// runIn runs the command without the flags that millraceRun adds.
func runIn(t *testing.T, args ...string) error {
	t.Helper()
	root := newRootCommand(nil)
	root.SetArgs(append([]string{"run"}, args...))
	root.SetOut(newWatchedOutput())
	root.SetErr(newWatchedOutput())
	return root.ExecuteContext(testContext(t))
}

// TestRedirectedStandardOutputIsAFile: the standard output may be the input, or a file
// that is named as well.
func TestRedirectedStandardOutputIsAFile(t *testing.T) {
	dir := t.TempDir()
	in := filepath.Join(dir, "in")
	if err := os.WriteFile(in, []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	stdout, err := os.OpenFile(in, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stdout.Close() }()
	for name, c := range map[string]struct {
		opts runOptions
		want string // "" for no error
	}{
		"the input is appended to": {runOptions{inputFile: in}, "the standard output"},
		"it is named as a device":  {runOptions{inputFile: in, outputFile: "-"}, "--output-file -"},
		"the summary is in it":     {runOptions{outputFile: "-", summaryFile: in}, "--summary"},
		"it is the only output":    {runOptions{outputFile: "-"}, ""},
		"it gets the text only":    {runOptions{outputFile: filepath.Join(dir, "out")}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			s := &session{opts: c.opts, stdout: stdout, screen: newScreen(newWatchedOutput())}
			err := s.checkFiles()
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = null.Close() }()
	s := &session{opts: runOptions{outputFile: os.DevNull, summaryFile: os.DevNull}, stdout: null}
	if err := s.checkFiles(); err != nil {
		t.Errorf("/dev/null as several files: %v", err)
	}
}

// TestOutputOnTheStandardOutput: the text for people goes to the standard error, if
// the standard output has the records.
func TestOutputOnTheStandardOutput(t *testing.T) {
	stdout, stderr := newWatchedOutput(), newWatchedOutput()
	root := newRootCommand(nil)
	root.SetArgs([]string{"run", "-f", writeManifest(t, copying), "--input-file", writeFile(t, "in", []byte("1\n2\n")), "--until-drained", "--output-file", "-"})
	root.SetOut(stdout)
	root.SetErr(stderr)
	if err := root.ExecuteContext(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if lines := strings.Fields(stdout.String()); len(lines) != 2 || lines[0]+lines[1] != "12" && lines[0]+lines[1] != "21" {
		t.Errorf("standard output: %q", stdout)
	}
	if !strings.Contains(stderr.String(), "sample ran for") {
		t.Errorf("standard error: %q", stderr)
	}
}
