package main

import (
	"context"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/controller-runtime/pkg/client/fake"
	"sigs.k8s.io/controller-runtime/pkg/client/interceptor"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// TestUninstallStopsTheOperatorFirst: while one of its pods is there, it would put the
// finalizers back.
func TestUninstallStopsTheOperatorFirst(t *testing.T) {
	labels := map[string]string{"app": "operator"}
	d := &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Replicas: new(int32(2)), Selector: &metav1.LabelSelector{MatchLabels: labels}}}
	d.Name, d.Namespace = "operator", "system"
	pod := &corev1.Pod{}
	pod.Name, pod.Namespace, pod.Labels = "operator-1", "system", labels
	sp := &v1alpha1.StreamProcessor{}
	sp.Name, sp.Namespace, sp.Finalizers = "enrich", "shop", []string{"millrace.dev/consumer-group"}
	looks := 0
	c := interceptor.NewClient(fake.NewClientBuilder().WithScheme(scheme()).WithObjects(d, pod, sp).Build(), interceptor.Funcs{
		List: func(ctx context.Context, c client.WithWatch, list client.ObjectList, opts ...client.ListOption) error {
			if _, ok := list.(*corev1.PodList); ok {
				if looks++; looks == 2 {
					_ = c.Delete(ctx, pod)
				}
			} else if looks < 2 {
				t.Error("the finalizers are taken off before the operator is gone")
			}
			return c.List(ctx, list, opts...)
		},
	})
	var out strings.Builder
	if err := uninstall(t.Context(), c, client.ObjectKeyFromObject(d), nil, &out); err != nil {
		t.Fatal(err)
	}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(sp), sp); err != nil || len(sp.Finalizers) > 0 {
		t.Errorf("finalizers %q, error %v", sp.Finalizers, err)
	}
	if err := c.Get(t.Context(), client.ObjectKeyFromObject(d), d); err != nil || *d.Spec.Replicas != 0 {
		t.Errorf("%d replicas, error %v", *d.Spec.Replicas, err)
	}
	if !strings.Contains(out.String(), "shop/enrich") {
		t.Errorf("it says %q", out.String())
	}
	// Again, as when the release is uninstalled by halves.
	if err := c.Delete(t.Context(), d); err != nil {
		t.Fatal(err)
	}
	if err := uninstall(t.Context(), c, client.ObjectKeyFromObject(d), nil, &out); err != nil {
		t.Error(err)
	}
}
