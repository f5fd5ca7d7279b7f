package plan

import (
	"cmp"
	"fmt"

	"github.com/millrace-dev/millrace/controllers/status"
)

// CPU is what is observed of the pods' CPU limits, in thousandths.
type CPU struct {
	// Base is the template's, 0 for none; Held is what each pod is to have already,
	// 0 for the template's.
	Base, Held int64
	// Pods are those on a node, by name.
	Pods []PodCPU
}

// PodCPU is the CPU limit of one pod, in thousandths.
type PodCPU struct {
	Name string
	// Asked is what its spec says, Has what its container has.
	Asked, Has int64
	// Ceiling is the most that it can be given as far as is known; 0 for no such
	// bound.
	Ceiling int64
	// Reason and Message say why it does not get what it asks for, or would;
	// empty if nothing stands against it.
	Reason, Message string
}

// scalesCPU reports whether autoscaling chooses the pods' CPU.
func (o *Observed) scalesCPU() bool {
	return o.scalesItself() && o.Processor.Spec.Autoscaling.Vertical != nil
}

// cpu is the limit that each pod is to have; 0 for that of the template. When
// autoscaling.vertical is taken away, the pods get back what the template says, and
// that is noted until all have it.
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

// Goal is the limit that a pod is to be given, when each is to have cpu.
func (p *PodCPU) Goal(cpu int64) int64 {
	if p.Ceiling > 0 {
		return min(cpu, p.Ceiling)
	}
	return cpu
}

// Resized is how many pods have that much.
func (c *CPU) Resized(cpu int64) (pods int32) {
	for i := range c.Pods {
		if c.Pods[i].Has == cpu {
			pods++
		}
	}
	return pods
}

// Room is the most that any pod can be given, 0 while that is not known.
func (c *CPU) Room() (room int64) {
	for i := range c.Pods {
		if c.Pods[i].Ceiling == 0 {
			return 0
		}
		room = max(room, c.Pods[i].Ceiling)
	}
	return room
}

// Trouble says which pods don't get their CPU, "" if all do, with the reason for the
// first.
func (c *CPU) Trouble() (reason, message string) {
	count := 0
	for i := range c.Pods {
		p := &c.Pods[i]
		if p.Reason == "" {
			continue
		}
		if count++; count == 1 {
			reason, message = p.Reason, fmt.Sprintf("pod %s: %s: %s", p.Name, p.Reason, p.Message)
		}
	}
	if count > 1 {
		message += fmt.Sprintf("; so it is with %d more", count-1)
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
		"each pod is to have %dm of CPU, and goes on with what it has where there is no room: %s; add room to the node, or lower spec.autoscaling.vertical.maxCPU",
		p.CPU, message))
}
