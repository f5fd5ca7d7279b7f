package main

import (
	"bytes"
	"os"
	"testing"
)

// asProgram makes the test's program, started again, the command itself.
const asProgram = "MILLRACE_TEST_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

// TestVersion: the flag that most programs have, and the command, say the same.
func TestVersion(t *testing.T) {
	said := func(arg string) string {
		var out bytes.Buffer
		root := newRootCommand(nil)
		root.SetArgs([]string{arg})
		root.SetOut(&out)
		if err := root.ExecuteContext(testContext(t)); err != nil {
			t.Error(err)
		}
		return out.String()
	}
	if flag, command := said("--version"), said("version"); flag == "" || flag != command {
		t.Errorf("--version says %q, version says %q", flag, command)
	}
}
