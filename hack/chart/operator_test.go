package chart

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/controllerstest"
)

// TestOperatorRunsAsInstalled starts the operator with the flags and the permissions of the chart,
// and sends it the requests of helm test and of Prometheus.
func TestOperatorRunsAsInstalled(t *testing.T) {
	crd := only(rendered(t, "default"), apiextensionsv1.GroupName)
	for scenario, reader := range map[string]string{
		"default":    "millrace-operator-metrics-reader",
		"namespaced": "millrace-operator-millrace-system-metrics-reader",
	} {
		t.Run(scenario, func(t *testing.T) {
			chart := rendered(t, scenario)
			// Another account for each scenario, so that no other scenario has bound a role to it.
			api := controllerstest.StartEmpty(t)
			for _, name := range []string{namespace, "team-a", "team-b"} {
				ensureNamespace(t, api, name)
			}
			applyAll(t, api, append(crd, only(chart, rbacv1.GroupName)...))
			await(t, "the CRD to be served", func() error {
				return api.Client.List(context.Background(), &v1alpha1.StreamProcessorList{})
			})
			o := start(t, api, find[appsv1.Deployment](t, chart, "Deployment", "millrace-operator"))
			await(t, "it to be ready", func() error { return answers(o.health+"/readyz", "", http.StatusOK) })
			o.check(t, find[corev1.Pod](t, chart, "Pod", "millrace-operator-check").Spec.Containers[0].Args)
			await(t, "it to lead", func() error { return failIf(leader(api) == "", "nobody leads") })
			metricsAreGuarded(t, api, o.metrics, reader)
			reconciles(t, api, "team-a")
			o.stop(t)
			if holder := leader(api); holder != "" {
				t.Errorf("%s still holds the lease, so the next operator has to wait", holder)
			}
			if log := o.log.String(); strings.Contains(log, "forbidden") || strings.Contains(log, "rejected") {
				t.Errorf("the operator lacks permissions:\n%s", log)
			}
		})
	}
}

// reconciles checks that a StreamProcessor gets a status even without Kafka, and can be deleted.
func reconciles(t *testing.T, api *controllerstest.API, in string) {
	t.Helper()
	sp := &v1alpha1.StreamProcessor{}
	if err := yaml.Unmarshal(read(t, "config/samples/copy.yaml"), sp); err != nil {
		t.Fatal(err)
	}
	sp.Namespace = in
	if err := api.Client.Create(t.Context(), sp); err != nil {
		t.Fatal(err)
	}
	key := client.ObjectKeyFromObject(sp)
	await(t, "a status", func() error {
		err := api.Client.Get(t.Context(), key, sp)
		return errors.Join(err, failIf(sp.Status.ObservedGeneration == 0, "it has none"))
	})
	if err := api.Client.Delete(t.Context(), sp); err != nil {
		t.Fatal(err)
	}
	await(t, "it to be gone", func() error {
		return failIf(!apierrors.IsNotFound(api.Client.Get(t.Context(), key, sp)), "it is still there")
	})
}

// leader returns the holder of the lease, "" if there is none.
func leader(api *controllerstest.API) string {
	var lease coordinationv1.Lease
	key := client.ObjectKey{Namespace: namespace, Name: "millrace-operator.millrace.dev"}
	if err := api.Client.Get(context.Background(), key, &lease); err != nil || lease.Spec.HolderIdentity == nil {
		return ""
	}
	return *lease.Spec.HolderIdentity
}

// running is the process of an operator.
type running struct {
	cmd             *exec.Cmd
	env             []string
	log             *bytes.Buffer
	health, metrics string // URLs
}

// start runs the program of the Deployment with the ports of this test.
func start(t *testing.T, api *controllerstest.API, d appsv1.Deployment) *running {
	t.Helper()
	program := filepath.Join(t.TempDir(), "operator")
	if out, err := exec.Command("go", "build", "-o", program, root+"/cmd/operator").CombinedOutput(); err != nil {
		t.Fatalf("build the operator: %v\n%s", err, out)
	}
	health, metrics := freeAddress(t), freeAddress(t)
	account := fmt.Sprintf("system:serviceaccount:%s:%s", namespace, d.Spec.Template.Spec.ServiceAccountName)
	o := &running{
		env:    append(os.Environ(), "KUBECONFIG="+kubeconfig(t, api.User(t, account))),
		log:    &bytes.Buffer{},
		health: "http://" + health, metrics: "https://" + metrics + "/metrics",
	}
	args := append(d.Spec.Template.Spec.Containers[0].Args,
		"--health-probe-bind-address="+health, "--metrics-bind-address="+metrics)
	o.cmd = exec.Command(program, args...)
	o.cmd.Env, o.cmd.Stdout, o.cmd.Stderr = o.env, o.log, o.log
	if err := o.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = o.cmd.Process.Kill() // it has ended, unless the test failed
		if _ = o.cmd.Wait(); t.Failed() {
			t.Logf("the operator's log:\n%s", o.log)
		}
	})
	return o
}

// check runs the program of the pod of helm test.
func (o *running) check(t *testing.T, args []string) {
	t.Helper()
	host, port, err := net.SplitHostPort(strings.TrimPrefix(o.health, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	var own []string
	for _, arg := range args {
		own = append(own, strings.ReplaceAll(arg, "$(MILLRACE_OPERATOR_SERVICE_HOST)", host))
	}
	own = append(own, "--health-port="+port)
	cmd := exec.Command(o.cmd.Path, own...)
	cmd.Env = o.env
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("operator %s: %v\n%s", strings.Join(own, " "), err, out)
	}
}

// stop ends the operator in the same way as Kubernetes.
func (o *running) stop(t *testing.T) {
	t.Helper()
	if err := o.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := o.cmd.Wait(); err != nil {
		t.Errorf("the operator ended with %v", err)
	}
}
