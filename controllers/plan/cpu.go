package plan

import (
	"cmp"
	"fmt"

	"github.com/millrace-dev/millrace/controllers/status"
)

// CPU is the observation of the pods' CPU limits, in thousandths of a CPU.
type CPU struct {
	// Base is the template's limit, 0 for none. Held is the limit that the Deployment
	// notes for each pod, 0 for the template's.
	Base, Held int64
	// Pods are those on a node, by name.
	Pods []PodCPU
}

// PodCPU is the CPU limit of one pod, in thousandths of a CPU.
type PodCPU struct {
	Name string
	// Asked is the limit in its spec, Has the one that its container has.
	Asked, Has int64
	// Ceiling is the most that the pod can get; 0 if no bound is known.
	Ceiling int64
	// Reason and Message say why the pod does not get the limit that it asks for, or
	// would not get more; empty if nothing prevents it.
	Reason, Message string
}

// scalesCPU reports whether autoscaling chooses the pods' CPU.
func (o *Observed) scalesCPU() bool {
	return o.scalesItself() && o.Processor.Spec.Autoscaling.Vertical != nil
}

// cpu returns the limit for each pod; 0 for the template's. When a user removes
// autoscaling.vertical, the pods get the template's limit back, and the Deployment
// notes the template's limit until all pods have it.
func (o *Observed) cpu() int64 {
	a := o.Processor.Spec.Autoscaling
	switch {
	case o.scalesCPU() && o.Scaling.CPU != nil:
		return o.Scaling.CPU.To.MilliValue()
	case o.scalesCPU():
		return cmp.Or(o.CPU.Held, o.CPU.Base)
	case a != nil && a.Vertical != nil, o.CPU.Held == 0:
		return o.CPU.Held
	}
	for _, p := range o.CPU.Pods {
		if p.Asked != o.CPU.Base {
			return o.CPU.Base
		}
	}
	return 0
}

func (o *Observed) whyCPU() string {
	if o.scalesCPU() {
		return "autoscaling: " + o.Scaling.Reason
	}
	return "spec.autoscaling.vertical is absent"
}

// Goal returns the limit to give to this pod when each pod is to have cpu.
func (p *PodCPU) Goal(cpu int64) int64 {
	if p.Ceiling > 0 {
		return min(cpu, p.Ceiling)
	}
	return cpu
}

// Resized returns the number of pods that have that limit.
func (c *CPU) Resized(cpu int64) (pods int32) {
	for i := range c.Pods {
		if c.Pods[i].Has == cpu {
			pods++
		}
	}
	return pods
}

// Room returns the most that any pod can get; 0 while that is not known.
func (c *CPU) Room() (room int64) {
	for i := range c.Pods {
		if c.Pods[i].Ceiling == 0 {
			return 0
		}
		room = max(room, c.Pods[i].Ceiling)
	}
	return room
}

// Trouble returns a message about the pods that don't get their CPU, with the reason
// of the first; "" if all get it.
func (c *CPU) Trouble() (reason, message string) {
	troubled := 0
	for i := range c.Pods {
		p := &c.Pods[i]
		if p.Reason == "" {
			continue
		}
		if troubled++; troubled == 1 {
			reason, message = p.Reason, fmt.Sprintf("pod %s: %s: %s", p.Name, p.Reason, p.Message)
		}
	}
	if troubled > 1 {
		message += fmt.Sprintf("; the same holds for %s", count(troubled-1, "more pod"))
	}
	return reason, message
}

func (o *Observed) resizePending(p *Plan) status.Condition {
	a := o.Processor.Spec.Autoscaling
	if a != nil && a.Vertical != nil && o.Deployment != nil && o.CPU.Base == 0 {
		return status.True(status.ResizePending, status.NoCPULimit,
			"spec.autoscaling.vertical raises a CPU limit, and the container has none: set resources.limits.cpu of the container worker in spec.template")
	}
	reason, message := o.CPU.Trouble()
	if reason == "" || p.CPU == 0 {
		return status.False(status.ResizePending, status.ResizeDeferred, "")
	}
	return status.True(status.ResizePending, reason, fmt.Sprintf(
		"each pod gets %dm of CPU if its node has room, and keeps its present CPU otherwise: %s; add room to the node, or lower spec.autoscaling.vertical.maxCPU",
		p.CPU, message))
}
