package plan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/millrace-dev/millrace/controllers/resources"
)

// Plan is what is to be done.
type Plan struct {
	Replicas Replicas
	// CPU is the limit that each pod is to have, in thousandths; 0 for that of
	// the template.
	CPU int64
	// Apply are the objects that are to exist, each whole, with the reason for
	// each, in their order. It is empty when nothing may be touched.
	Apply []Act
	// Stop is the Deployment that there is, without pods: all that is done for one that
	// is suspended and whose own Deployment can't be made. Otherwise it is nil.
	Stop *appsv1.Deployment
	// Rollout says whether the pods are to be replaced.
	Rollout Rollout
	// Invalid is why a worker would not run with the spec; nil if it would.
	Invalid error
}

// Act is one object to be applied.
type Act struct {
	Object resources.Object
	// Why is for whoever reads the operator's log.
	Why string
	// Needed: pods must not start with another one, or with none.
	Needed bool
}

// Make decides. The same observation gives the same plan.
func Make(o Observed) Plan {
	p := Plan{Replicas: o.replicas(), CPU: o.cpu()}
	objects, err := resources.Objects(o.Processor, resources.Inputs{
		WorkerImage: o.Environment.WorkerImage, LogLevel: o.Environment.WorkerLogLevel,
		Replicas: p.Replicas.Count, RanReplicas: cmp.Or(p.Replicas.Count, o.ran()), CPU: p.CPU, Partitions: o.Kafka.Partitions,
		CredentialsHash: o.Credentials.Hash,
		NetworkPolicy:   o.Environment.NetworkPolicies,
		PodMonitor:      o.Environment.PodMonitors, PodMonitorLabels: o.Environment.PodMonitorLabels,
	})
	p.Invalid = errors.Join(err, o.BadExpressions)
	if err != nil || o.Processor.DeletionTimestamp != nil {
		if err != nil && o.Processor.Spec.Suspend && o.Deployment != nil {
			p.Stop, p.Rollout.Hold = resources.Stopped(o.Deployment), "the spec is invalid"
		}
		return p
	}
	// What runs is left running, as it works with what it was started with, unless
	// it is to stop.
	if (p.Invalid != nil || len(o.Credentials.Missing) > 0 || o.GroupOwner != "" && o.Held() > 0) && !o.Processor.Spec.Suspend {
		return p
	}
	for _, object := range objects {
		if name := Describe(object); !slices.Contains(o.Foreign, name) && !slices.Contains(o.Leaving, name) {
			p.Apply = append(p.Apply, Act{object, o.why(object, &p), needed(object)})
		}
		if d, ok := object.(*appsv1.Deployment); ok {
			p.Rollout = o.rollout(d)
		}
	}
	return p
}

// needed is about what pods refer to, and what keeps others away from them. The
// Service, the PodDisruptionBudget and the PodMonitor are of use to running pods only.
func needed(object resources.Object) bool {
	kind := object.GetObjectKind().GroupVersionKind().Kind
	return slices.Contains([]string{"ServiceAccount", "ConfigMap", "NetworkPolicy"}, kind)
}

// Describe names an object as messages do: kind and name.
func Describe(object resources.Object) string {
	return fmt.Sprintf("%s %s", object.GetObjectKind().GroupVersionKind().Kind, object.GetName())
}

// why tells what is particular about an object; that it belongs to the
// StreamProcessor goes without saying.
func (o *Observed) why(object resources.Object, p *Plan) string {
	if object.GetObjectKind().GroupVersionKind().Kind != "Deployment" {
		return "the spec asks for it"
	}
	if r, held := p.Replicas, o.Held(); held != r.Count {
		return fmt.Sprintf("%d pods instead of %d: %s", r.Count, held, r.Why)
	}
	if p.CPU != o.CPU.Held && p.CPU > 0 {
		return fmt.Sprintf("%dm of CPU for each pod instead of %dm: %s", p.CPU, cmp.Or(o.CPU.Held, o.CPU.Base), o.whyCPU())
	}
	return "the spec, the configuration or a credential has changed"
}
