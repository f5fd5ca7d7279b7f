package controllerstest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"sync"
	"syscall"
	"testing"

	"github.com/go-logr/logr"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"
	"sigs.k8s.io/controller-runtime/pkg/log"
)

// API is a running kube-apiserver.
type API struct {
	// Config is the administrator's; User returns those of other users.
	Config *rest.Config
	// Client is the administrator's. It knows Kubernetes' own types, CRDs and
	// StreamProcessors, and reads from the server, not from a cache.
	Client client.WithWatch
	// Scheme is the client's.
	Scheme *runtime.Scheme

	assets string
	dir    string // of the server's configuration and its audit log
	env    *envtest.Environment
}

// shared is the server of all tests of a package.
var shared struct {
	main  bool // whether Main was called, which stops the server
	start sync.Once
	api   *API
	err   error
	users sync.Mutex // held while a user is added
}

// Main runs the tests of a package and stops the server afterwards, also on an
// interrupt. TestMain calls it if tests call Start.
func Main(m *testing.M) {
	shared.main = true
	// Without a logger controller-runtime prints a warning with a stack trace.
	log.SetLogger(logr.Discard())
	interrupt := make(chan os.Signal, 1)
	signal.Notify(interrupt, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-interrupt
		end(1)
	}()
	end(m.Run())
}

func end(code int) {
	shared.start.Do(func() {}) // from now on no server starts
	if shared.api != nil {
		if err := shared.api.stop(); err != nil {
			fmt.Fprintln(os.Stderr, "stop the API server:", err)
			code = max(code, 1)
		}
	}
	os.Exit(code)
}

// Start returns the server that all tests of a package share, with the CRD installed.
// The first call starts it. Each test works in its own Namespace. Without the binaries
// the test is skipped; in continuous integration it fails.
func Start(tb testing.TB) *API {
	tb.Helper()
	if !shared.main {
		tb.Fatal("call controllerstest.Main from TestMain: it stops the server")
	}
	assets := requireAssets(tb)
	shared.start.Do(func() {
		shared.api, shared.err = start(assets, filepath.Join(repository(), "config", "crd", "bases"))
	})
	if shared.err != nil {
		tb.Fatalf("start the API server: %v", shared.err)
	}
	return shared.api
}

// StartEmpty starts a server without the CRD for one test, and stops it at the
// test's end.
func StartEmpty(tb testing.TB) *API {
	tb.Helper()
	api, err := start(requireAssets(tb))
	if err != nil {
		tb.Fatalf("start an API server: %v", err)
	}
	tb.Cleanup(func() {
		if err := api.stop(); err != nil {
			tb.Errorf("stop the API server: %v", err)
		}
	})
	return api
}

// Namespace makes a namespace for one test. The namespace stays, since no controller runs
// that could empty it.
func (a *API) Namespace(tb testing.TB) string {
	tb.Helper()
	ns := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "test-"}}
	if err := a.Client.Create(context.Background(), ns); err != nil {
		tb.Fatalf("create a namespace: %v", err)
	}
	return ns.Name
}

// User returns the configuration of a user. The user has only the permissions of the
// roles that are bound to the name or to one of the groups. Writes finds the user's
// writes by the name.
func (a *API) User(tb testing.TB, name string, groups ...string) *rest.Config {
	tb.Helper()
	shared.users.Lock() // envtest's certificate authority counts without a lock
	defer shared.users.Unlock()
	base := &rest.Config{QPS: a.Config.QPS, Burst: a.Config.Burst}
	user, err := a.env.AddUser(envtest.User{Name: name, Groups: groups}, base)
	if err != nil {
		tb.Fatalf("add the user %s: %v", name, err)
	}
	return user.Config()
}

func (a *API) stop() error {
	return errors.Join(a.env.Stop(), os.RemoveAll(a.dir))
}
