package prerequisite

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// fakeGo stands for the go command: it names a version of Kubernetes, builds a fake
// setup-envtest, and refuses to build anything else.
const fakeGo = `#!/usr/bin/env bash
case "$*" in
  *"list -m"*) echo v1.37.2 ;;
  *"build -o"*setup-envtest) mkdir -p "$ROOT/bin" && cp "$ROOT/setup-envtest" "$ROOT/bin/setup-envtest" ;;
  *) echo "built from source" >&2; exit 7 ;;
esac
`

// fakeSetup stands for setup-envtest, with or without internet access.
const fakeSetup = `#!/usr/bin/env bash
directory=$ROOT/bin/envtest/k8s/1.37.4
case "$*" in
  *installed-only*) [[ -d $directory ]] || exit 2 ;;
  list*) exit "$OFFLINE" ;;
  *) echo downloaded >&2; mkdir -p "$directory" ;;
esac
printf %s "$directory"
`

// TestWhereTheAPIServerComesFrom checks the order: KUBEBUILDER_ASSETS, the released
// programs, and only on a machine without internet access the sources.
func TestWhereTheAPIServerComesFrom(t *testing.T) {
	if _, err := exec.LookPath("bash"); err != nil {
		Missing(t, "no bash")
	}
	root := t.TempDir()
	if err := os.CopyFS(filepath.Join(root, "hack", "cluster"), os.DirFS("../cluster")); err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Join(root, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"path/go": fakeGo, "setup-envtest": fakeSetup} {
		file := filepath.Join(root, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	released := filepath.Join(root, "bin", "envtest", "current") + "\n"
	for _, test := range []struct {
		name, assets, offline string
		code                  int
		directory, does       string
	}{
		{"a folder of the user's", "/assets", "1", 0, "/assets\n", ""},
		{"no internet access", "", "1", 7, "", "built from source"},
		{"internet access", "", "0", 0, released, "downloaded"},
		{"downloaded before", "", "1", 0, released, ""},
	} {
		script := exec.Command("bash", filepath.Join(root, "hack", "cluster", "binaries.sh"), "apiserver")
		script.Env = []string{
			"PATH=" + filepath.Join(root, "path") + ":" + os.Getenv("PATH"), "ROOT=" + root,
			"KUBEBUILDER_ASSETS=" + test.assets, "OFFLINE=" + test.offline,
		}
		var stdout, stderr strings.Builder
		script.Stdout, script.Stderr = &stdout, &stderr
		_ = script.Run() // the exit code counts
		if code := script.ProcessState.ExitCode(); code != test.code || stdout.String() != test.directory {
			t.Errorf("%s: exit code %d and %q, want %d and %q:\n%s", test.name, code, stdout.String(), test.code, test.directory, stderr.String())
		}
		for _, act := range []string{"downloaded", "built from source"} {
			if got := strings.Contains(stderr.String(), act+"\n"); got != (act == test.does) {
				t.Errorf("%s: %s: %v", test.name, act, got)
			}
		}
	}
}
