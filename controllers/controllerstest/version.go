package controllerstest

import (
	"strconv"
	"strings"
	"testing"

	"k8s.io/client-go/discovery"
)

// Requires skips a test that needs a feature of Kubernetes 1.MINOR if the API server is
// older. The API server of make test never is; that of make test-oldest may be.
func (a *API) Requires(tb testing.TB, minor int, feature string) {
	tb.Helper()
	client, err := discovery.NewDiscoveryClientForConfig(a.Config)
	if err != nil {
		tb.Fatal(err)
	}
	version, err := client.ServerVersion()
	if err != nil {
		tb.Fatal(err)
	}
	has, err := strconv.Atoi(strings.TrimSuffix(version.Minor, "+"))
	if err != nil {
		tb.Fatalf("the API server's version %s: %v", version, err)
	}
	if has < minor {
		tb.Skipf("the API server is of 1.%d; %s came with 1.%d", has, feature, minor)
	}
}
