package controllers

import (
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/cache"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/controllers/resources"
)

// CacheOptions returns the options of the manager's cache. It holds the objects that the
// operator has made in the named namespaces, or in all namespaces if none is named.
func CacheOptions(namespaces []string) cache.Options {
	sets := &metav1.PartialObjectMetadata{}
	sets.SetGroupVersionKind(appsv1.SchemeGroupVersion.WithKind("ReplicaSet"))
	ours := cache.ByObject{Label: resources.Managed().AsSelector()}
	opts := cache.Options{
		ByObject: map[client.Object]cache.ByObject{
			&appsv1.Deployment{}:            ours,
			&corev1.ConfigMap{}:             ours,
			&corev1.ServiceAccount{}:        ours,
			&corev1.Service{}:               ours,
			&corev1.Pod{}:                   ours,
			sets:                            ours,
			&policyv1.PodDisruptionBudget{}: ours,
			&networkingv1.NetworkPolicy{}:   ours,
		},
		DefaultNamespaces: inNamespaces(namespaces),
		DefaultTransform:  cache.TransformStripManagedFields(),
	}
	return opts
}

// inNamespaces returns nil, which means all namespaces, if none is named.
func inNamespaces(names []string) map[string]cache.Config {
	var configs map[string]cache.Config
	for _, name := range names {
		if configs == nil {
			configs = map[string]cache.Config{}
		}
		configs[name] = cache.Config{}
	}
	return configs
}
