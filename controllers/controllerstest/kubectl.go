package controllerstest

import (
	"bytes"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/millrace-dev/millrace/hack/prerequisite"
)

// Kubectl runs kubectl as the administrator and returns what it printed. The
// error of a failed run contains kubectl's message. The test is skipped where the
// binary is missing; in continuous integration it fails.
func (a *API) Kubectl(tb testing.TB, stdin string, args ...string) (string, error) {
	tb.Helper()
	kubeconfig := filepath.Join(tb.TempDir(), "kubeconfig")
	if err := os.WriteFile(kubeconfig, a.env.KubeConfig, 0o600); err != nil {
		tb.Fatal(err)
	}
	cmd := exec.Command(filepath.Join(a.assets, "kubectl"), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+kubeconfig, "HOME="+filepath.Dir(kubeconfig))
	cmd.Stdin = bytes.NewBufferString(stdin)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	if errors.Is(err, fs.ErrNotExist) {
		prerequisite.Missing(tb, "no kubectl in %s: run make test, or set KUBEBUILDER_ASSETS to a folder with it", a.assets)
	}
	if err != nil {
		err = errors.New(err.Error() + ": " + stderr.String())
	}
	return stdout.String(), err
}
