// Package prerequisite is for tests that need something of the machine: a tool, a
// broker, an API server, a node. On a developer's machine such a test is skipped
// when that is missing; in continuous integration (CI=true), where a check must not
// pass by skipping, it fails. hack/missing.sh does the same for scripts.
package prerequisite

import (
	"os"
	"testing"
)

// Missing ends a test that can't run on this machine: it skips the test, or fails
// it in continuous integration. The message names the missing thing and says how to
// get it.
func Missing(tb testing.TB, format string, args ...any) {
	tb.Helper()
	if os.Getenv("CI") == "true" {
		tb.Fatalf("CI=true, so this test may not be skipped: "+format, args...)
	}
	tb.Skipf("SKIPPED: "+format, args...)
}
