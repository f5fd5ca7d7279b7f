package controllerstest

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/millrace-dev/millrace/hack/prerequisite"
)

// requireAssets returns the folder of the binaries, or skips the test; in continuous
// integration it fails the test instead.
func requireAssets(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("KUBEBUILDER_ASSETS")
	if dir == "" {
		// hack/cluster/binaries.sh links to released binaries while they are in use.
		dir = filepath.Join(repository(), "bin", "envtest", "current")
		if _, err := os.Stat(dir); err != nil {
			dir = filepath.Join(repository(), "bin", "kubebuilder")
		}
	}
	for _, name := range []string{"etcd", "kube-apiserver"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.IsDir() {
			prerequisite.Missing(tb, "no kube-apiserver and etcd in %s: run make test, or set KUBEBUILDER_ASSETS to a folder with them", dir)
		}
	}
	return dir
}

// repository is the root of this repository, above the package under test.
func repository() string {
	dir, err := os.Getwd()
	if err != nil {
		return "."
	}
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); err == nil {
			return at
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}
