package plan

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/millrace-dev/millrace/controllers/resources"
)

// Plan lists the acts for one StreamProcessor.
type Plan struct {
	Replicas Replicas
	// CPU is the limit for each pod, in thousandths of a CPU; 0 for the template's.
	CPU int64
	// Apply are the objects to apply, in their order, each whole and with its reason.
	// It is empty when the operator may touch nothing.
	Apply []Act
	// Stop is the existing Deployment with no pods: the only act for a suspended
	// StreamProcessor whose spec makes no Deployment. Otherwise it is nil.
	Stop *appsv1.Deployment
	// Rollout decides whether pods are replaced.
	Rollout Rollout
	// Invalid is the reason why no worker can run with the spec; nil if one can.
	Invalid error
}

// Act is one object to be applied.
type Act struct {
	Object resources.Object
	// Why is the reason that the operator's log gives.
	Why string
	// Needed: pods must not start without it, or with an earlier version of it.
	Needed bool
	// WithTemplate: while the pod template is held, an existing object is too.
	WithTemplate bool
}

// Make makes the plan. The same observation gives the same plan.
func Make(o Observed) Plan {
	p := Plan{Replicas: o.replicas(), CPU: o.cpu()}
	objects, err := resources.Objects(o.Processor, resources.Inputs{
		WorkerImage: o.Environment.WorkerImage, LogLevel: o.Environment.WorkerLogLevel,
		Replicas: p.Replicas.Count, RanReplicas: cmp.Or(p.Replicas.Count, o.lastRan()), CPU: p.CPU, Partitions: o.Kafka.Partitions,
		CredentialsHash: o.Credentials.Hash, ReplacedFor: o.replacedFor(),
		ExpressionsChange: resources.ExpressionsChange(o.Processor, o.Expressions.Live),
		NetworkPolicy:     o.Environment.NetworkPolicies,
		PodMonitor:        o.Environment.PodMonitors, PodMonitorLabels: o.Environment.PodMonitorLabels,
	})
	p.Invalid = errors.Join(err, o.BadExpressions)
	if err != nil || o.Processor.DeletionTimestamp != nil {
		if err != nil && o.Processor.Spec.Suspend && o.Deployment != nil {
			p.Stop, p.Rollout.Hold = resources.Stopped(o.Deployment), "the spec is invalid"
		}
		return p
	}
	// Running pods stay, since they work with the configuration that they started
	// with, unless the user suspends them.
	if (p.Invalid != nil || len(o.Credentials.Missing) > 0 || o.GroupOwner != "" && o.Held() > 0) && !o.Processor.Spec.Suspend {
		return p
	}
	for _, object := range objects {
		if name := Describe(object); !slices.Contains(o.Foreign, name) && !slices.Contains(o.Leaving, name) {
			p.Apply = append(p.Apply, Act{object, o.why(object, &p), needed(object), resources.HoldsExpressions(object)})
		}
		if d, ok := object.(*appsv1.Deployment); ok {
			p.Rollout = o.rollout(d)
		}
	}
	return p
}

// needed reports whether pods refer to the object, or whether it keeps other pods away
// from them. The Service, the PodDisruptionBudget and the PodMonitor are of use only to
// pods that run.
func needed(object resources.Object) bool {
	kind := object.GetObjectKind().GroupVersionKind().Kind
	return slices.Contains([]string{"ServiceAccount", "ConfigMap", "NetworkPolicy"}, kind)
}

// Describe returns the kind and name of an object, as messages give them.
func Describe(object resources.Object) string {
	return fmt.Sprintf("%s %s", object.GetObjectKind().GroupVersionKind().Kind, object.GetName())
}

// why returns the reason for applying an object. Only a Deployment has a particular
// one.
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
