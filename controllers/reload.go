package controllers

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/clock"
	ctrl "sigs.k8s.io/controller-runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/controllers/resources"
)

// reloader has the kubelets bring changed expressions to their pods at once. A kubelet looks
// at the ConfigMaps of a pod when the pod changes, and otherwise about once a minute. So the
// reloader writes an annotation on each pod that reports another version than the wanted
// one. It writes nothing else on pods, nothing while all run the wanted version, and nothing
// more once a change is Stalled.
type reloader struct {
	client client.Client
	clock  clock.PassiveClock
}

// reloadPause is the time after which a pod is annotated again, in case that its kubelet
// saw the annotation before it saw the ConfigMap.
const reloadPause = 30 * time.Second

// reload annotates the pods, unless the plan holds their expressions. A pod that can't be
// annotated does not stop the others: its kubelet takes the ConfigMap over by itself, later.
func (r *reloader) reload(ctx context.Context, s *scope) error {
	if len(s.plan.Apply) == 0 || s.plan.Rollout.Hold != "" || s.observed.ReloadStalled() {
		return nil
	}
	var errs []error
	for _, outdated := range s.observed.Expressions.Outdated() {
		errs = append(errs, r.reloadOne(ctx, s, outdated))
	}
	return errors.Join(errs...)
}

func (r *reloader) reloadOne(ctx context.Context, s *scope, outdated plan.PodExpressions) error {
	i := slices.IndexFunc(s.observed.Pods, func(p corev1.Pod) bool { return p.Name == outdated.Name })
	if i < 0 {
		return nil
	}
	pod, wanted, now := &s.observed.Pods[i], s.observed.Expressions.Wanted, r.clock.Now()
	if version, at := resources.AskedToReload(pod); version == wanted && now.Before(at.Add(reloadPause)) {
		s.waitFor(at.Add(reloadPause).Sub(now))
		return nil
	}
	s.waitFor(reloadPause)
	patch, err := json.Marshal(resources.AskToReload(pod, wanted, now))
	if err != nil {
		return fmt.Errorf("write the annotation of pod %s: %w", pod.Name, err)
	}
	err = r.client.Patch(ctx, pod.DeepCopy(), client.RawPatch(types.MergePatchType, patch), client.FieldOwner(resources.Manager))
	log := ctrl.LoggerFrom(ctx).WithValues("pod", pod.Name, "version", wanted, "before", outdated.Version)
	switch message, isRefused := refused(err); {
	case apierrors.IsConflict(err):
		s.waitFor(time.Second) // the cache is behind
	case isRefused:
		log.Info("the pod can't be annotated, so its kubelet brings it the changed expressions within two minutes", "error", message)
	case client.IgnoreNotFound(err) != nil:
		return fmt.Errorf("annotate pod %s, to have its kubelet look at the expressions: %w", pod.Name, err)
	case err == nil:
		log.Info("annotated the pod, to have its kubelet look at the changed expressions")
	}
	return nil
}
