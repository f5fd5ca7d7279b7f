package main

import (
	"bytes"
	"os"
	"testing"

	"github.com/millrace-dev/millrace/worker/sdks/protocol/protocoltest"
)

// asProgram makes the test's program, started again, the command itself.
const asProgram = "MILLRACE_TEST_AS_PROGRAM"

// asSidecar makes it the protocol's test program.
const asSidecar = "MILLRACE_TEST_AS_SIDECAR"

func TestMain(m *testing.M) {
	if os.Getenv(asProgram) != "" {
		main()
		return
	}
	if os.Getenv(asSidecar) != "" {
		os.Exit(protocoltest.Main("", protocoltest.Connect))
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
