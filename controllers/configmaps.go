package controllers

import (
	"context"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/controllers/resources"
)

// pruneConfigMaps deletes the files and expressions of earlier configurations that no
// ReplicaSet and no pod refers to. It waits until the Deployment's controller has seen
// the present template: before, the controller may make a ReplicaSet of the earlier one.
func (a *applier) pruneConfigMaps(ctx context.Context, s *scope) error {
	d := s.observed.Deployment
	if d == nil || d.Status.ObservedGeneration < d.Generation || len(s.plan.Apply) == 0 {
		return nil
	}
	unused, err := a.unusedConfigMaps(ctx, s)
	if err != nil || len(unused) == 0 {
		return err
	}
	// The cache may be behind, so ask the API server.
	used := map[string]bool{}
	for _, kind := range []string{"ReplicaSet", "Pod"} {
		if err := markUsed(ctx, a.reader, s, kind, used); err != nil {
			return err
		}
	}
	for i := range unused {
		c := &unused[i]
		if used[c.Labels[resources.ConfigLabel]] {
			continue
		}
		if err := a.client.Delete(ctx, c, client.Preconditions{UID: new(c.UID)}); client.IgnoreNotFound(err) != nil {
			return fmt.Errorf("delete ConfigMap %s: %w", c.Name, err)
		}
		ctrl.LoggerFrom(ctx).Info("deleted", "object", "ConfigMap "+c.Name, "why", "no pod and no ReplicaSet refers to it")
	}
	return nil
}

// unusedConfigMaps returns the files and expressions that the cache shows no use of.
func (a *applier) unusedConfigMaps(ctx context.Context, s *scope) ([]corev1.ConfigMap, error) {
	var all corev1.ConfigMapList
	if err := a.client.List(ctx, &all, ofProcessor(s)...); err != nil {
		return nil, fmt.Errorf("list ConfigMaps: %w", err)
	}
	used := map[string]bool{s.observed.Deployment.Spec.Template.Labels[resources.ConfigLabel]: true}
	for _, act := range s.plan.Apply {
		used[act.Object.GetLabels()[resources.ConfigLabel]] = true
	}
	for i := range s.observed.Pods {
		used[s.observed.Pods[i].Labels[resources.ConfigLabel]] = true
	}
	if err := markUsed(ctx, a.client, s, "ReplicaSet", used); err != nil {
		return nil, err
	}
	return slices.DeleteFunc(all.Items, func(c corev1.ConfigMap) bool {
		hash := c.Labels[resources.ConfigLabel]
		ours := isOwned(s.sp, &c) || isOrphan(s.sp, &c)
		return !ours || !resources.IsOfConfig(s.sp, c.Name, hash) || used[hash]
	}), nil
}

// markUsed marks the hashes of the files that ReplicaSets or pods refer to.
func markUsed(ctx context.Context, reader client.Reader, s *scope, kind string, used map[string]bool) error {
	list := &metav1.PartialObjectMetadataList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: kind}}
	if kind == "ReplicaSet" {
		list.APIVersion = appsv1.SchemeGroupVersion.String()
	}
	if err := reader.List(ctx, list, ofProcessor(s)...); err != nil {
		return fmt.Errorf("list the %ss: %w", kind, err)
	}
	for i := range list.Items {
		used[list.Items[i].Labels[resources.ConfigLabel]] = true
	}
	return nil
}

func ofProcessor(s *scope) []client.ListOption {
	return []client.ListOption{
		client.InNamespace(s.sp.Namespace), client.MatchingLabels(resources.Selector(s.sp.Name)),
	}
}
