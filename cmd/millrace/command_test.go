package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// command runs a command line with the given standard input, and returns its output.
func command(t *testing.T, stdin string, args ...string) (stdout string, err error) {
	t.Helper()
	var out bytes.Buffer
	root := newRootCommand(nil)
	root.SetArgs(args)
	root.SetIn(strings.NewReader(stdin))
	root.SetOut(&out)
	root.SetErr(&bytes.Buffer{})
	err = root.ExecuteContext(testContext(t))
	return out.String(), err
}

// expect fails the test unless the command has written want and returned an error that
// contains wantErr, or none if that is empty.
func expect(t *testing.T, stdout string, err error, want, wantErr string) {
	t.Helper()
	if stdout != want {
		t.Errorf("wrote\n%s\nwant\n%s", stdout, want)
	}
	if (err == nil) != (wantErr == "") || err != nil && !strings.Contains(err.Error(), wantErr) {
		t.Errorf("error %v, want %q", err, wantErr)
	}
}

// inDirectory writes files into a directory and makes it the current one.
func inDirectory(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, content := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}
