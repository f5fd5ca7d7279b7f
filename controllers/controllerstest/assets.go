package controllerstest

import (
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// announce says once that tests are skipped, where the test's own output does
// not show.
var announce = sync.OnceFunc(func() {
	if os.Getenv("CI") != "" {
		fmt.Fprintln(os.Stderr, "NOTE: "+missing)
	}
})

const missing = "no kube-apiserver and etcd: run hack/cluster/binaries.sh, or set KUBEBUILDER_ASSETS to a folder with them"

// requireAssets returns the folder of the binaries, or skips the test.
func requireAssets(tb testing.TB) string {
	tb.Helper()
	dir := os.Getenv("KUBEBUILDER_ASSETS")
	if dir == "" {
		dir = filepath.Join(repository(), "bin", "kubebuilder")
	}
	for _, name := range []string{"etcd", "kube-apiserver"} {
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.IsDir() {
			announce()
			tb.Skip(missing)
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
