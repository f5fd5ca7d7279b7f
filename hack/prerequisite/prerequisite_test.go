package prerequisite

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

// recorder records how a test ends. Like a real test, it ends its goroutine.
type recorder struct {
	testing.TB
	end string
}

func (*recorder) Helper() {}

func (r *recorder) Skipf(format string, args ...any) {
	r.end = "skipped: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

func (r *recorder) Fatalf(format string, args ...any) {
	r.end = "failed: " + fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// TestMissing checks that a missing prerequisite skips a test, and fails it in
// continuous integration.
func TestMissing(t *testing.T) {
	for ci, want := range map[string]string{
		"":     "skipped: SKIPPED: no Helm: run make bin/helm",
		"true": "failed: CI=true, so this test may not be skipped: no Helm: run make bin/helm",
	} {
		t.Setenv("CI", ci)
		r := &recorder{TB: t}
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			Missing(r, "no %s: run make bin/helm", "Helm")
		}()
		<-ended
		if r.end != want {
			t.Errorf("CI=%q: %s, want %s", ci, r.end, want)
		}
	}
}

// TestScriptsFailInCI runs the scripts on a machine with a shell and nothing else.
func TestScriptsFailInCI(t *testing.T) {
	bin := t.TempDir()
	for _, name := range []string{"bash", "env", "dirname", "id", "uname"} {
		program, err := exec.LookPath(name)
		if err != nil {
			Missing(t, "no %s", name)
		}
		if err := os.Symlink(program, filepath.Join(bin, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, test := range []struct {
		script, ci string
		arguments  []string
		code       int
		output     string
	}{
		{"hack/missing.sh", "", []string{"no Helm"}, 0, "NOTE: no Helm"},
		{"hack/missing.sh", "true", []string{"no Helm"}, 1, "ERROR: with CI=true nothing may be missing: no Helm"},
		{"hack/e2e/run.sh", "", nil, 0, "NOTE: the end-to-end test is skipped: it needs "},
		{"hack/e2e/run.sh", "true", nil, 1, "ERROR: with CI=true nothing may be missing: the end-to-end test is skipped: it needs "},
		// It sets CI=true itself.
		{".ci/run", "", nil, 1, "ERROR: with CI=true nothing may be missing: neither apt-get nor root"},
	} {
		script := exec.Command("./"+test.script, test.arguments...)
		script.Dir = "../.."
		script.Env = []string{"PATH=" + bin, "CI=" + test.ci}
		out, err := script.CombinedOutput()
		if exit := (*exec.ExitError)(nil); err != nil && !errors.As(err, &exit) {
			t.Fatalf("%s: %v", test.script, err)
		}
		if code := script.ProcessState.ExitCode(); code != test.code || !strings.HasPrefix(string(out), test.output) {
			t.Errorf("CI=%q %s: exit code %d, want %d:\n%s", test.ci, test.script, code, test.code, out)
		}
	}
}
