package controllerstest

import (
	"errors"
	"os"
	"path/filepath"
	"time"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/runtime"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/envtest"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// patience leaves room for a machine that is busy with other tests.
const patience = 2 * time.Minute

// start starts a server with the CRDs of some directories.
func start(assets string, crds ...string) (*API, error) {
	dir, err := os.MkdirTemp("", "controllerstest-")
	if err != nil {
		return nil, err
	}
	a := &API{Scheme: newScheme(), assets: assets, dir: dir}
	a.env = &envtest.Environment{
		Scheme:                   a.Scheme,
		CRDDirectoryPaths:        crds,
		ErrorIfCRDPathMissing:    true,
		UseExistingCluster:       new(false),
		ControlPlaneStartTimeout: patience,
		ControlPlaneStopTimeout:  patience,
	}
	if err := a.run(); err != nil {
		return nil, errors.Join(err, a.stop())
	}
	return a, nil
}

func (a *API) run() (err error) {
	server := a.env.ControlPlane.GetAPIServer()
	server.Path = filepath.Join(a.assets, "kube-apiserver")
	a.env.ControlPlane.Etcd = &envtest.Etcd{Path: filepath.Join(a.assets, "etcd")}
	// A loopback address can't be an endpoint of the service "kubernetes", which no test
	// uses.
	server.Configure().Set("endpoint-reconciler-type", "none")
	if err := a.recordWrites(server.Configure()); err != nil {
		return err
	}
	if a.Config, err = a.env.Start(); err != nil {
		return err
	}
	a.Client, err = client.NewWithWatch(a.Config, client.Options{Scheme: a.Scheme})
	return err
}

func newScheme() *runtime.Scheme {
	s := runtime.NewScheme()
	utilruntime.Must(scheme.AddToScheme(s))
	utilruntime.Must(apiextensionsv1.AddToScheme(s))
	utilruntime.Must(v1alpha1.AddToScheme(s))
	return s
}
