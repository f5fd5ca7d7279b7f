package scaling

import (
	"fmt"
	"strconv"
	"time"
)

// CPU is an amount of CPU, in thousandths of one.
type CPU int64

// String writes it as Kubernetes does: 1500m, 2.
func (c CPU) String() string {
	if c%1000 == 0 {
		return strconv.FormatInt(int64(c/1000), 10)
	}
	return strconv.FormatInt(int64(c), 10) + "m"
}

// Vertical bounds the CPU of each pod. It is in use if both Base and Max are set.
type Vertical struct {
	// Base is the limit that a pod starts with, Max the most that it may be
	// given.
	Base, Max CPU
	// Step is by how much the limit changes at least; Base by default.
	Step CPU
}

func (v Vertical) used() bool { return v.Base > 0 && v.Max > 0 }

// Resize is how far the pods have come to the CPU that they are to have.
type Resize struct {
	// Pending: some pods don't have it yet. Message says which, and why.
	Pending bool
	Message string
	// Room is the most that any pod's node can give it, as far as is known; 0 for
	// no such bound.
	Room CPU
}

// most is the highest limit that a pod may be given.
func (c *choice) most() CPU {
	v := c.Policy.Vertical
	most := max(v.Base, v.Max)
	if c.Resize.Room > 0 {
		most = max(v.Base, min(most, c.Resize.Room))
	}
	return most
}

// limits are those that a pod may have, from Base to most.
func (c *choice) limits(yield func(CPU) bool) {
	v, most := c.Policy.Vertical, c.most()
	step := v.Step
	if step <= 0 {
		step = v.Base
	}
	for cpu := v.Base; cpu < most; cpu += step {
		if !yield(cpu) {
			return
		}
	}
	yield(most)
}

// next is the lowest limit above cpu, or the highest there is.
func (c *choice) next(cpu CPU) CPU {
	for limit := range c.limits {
		if limit > cpu {
			return limit
		}
	}
	return c.most()
}

// sized is the verdict v with the CPU that goes with it: more where more pods can't
// help, and less when it is not needed any more, before pods are taken away.
func (c *choice) sized(v verdict) verdict {
	base := c.Policy.Vertical.Base
	switch {
	case !c.Policy.Vertical.used():
		v.cpu = c.CPU
		return v
	case v.to == 0, c.CPU == 0:
		v.cpu = base // of the pods that start next
		return v
	}
	v.cpu = c.CPU
	for _, rule := range []func(verdict) *verdict{c.boundCPU, c.takeBackCPU, c.moreCPU, c.lessCPU} {
		if changed := rule(v); changed != nil {
			return *changed
		}
	}
	return v
}

// resize is the verdict that each pod is to have that much CPU.
func (c *choice) resize(cpu CPU, reason Reason, format string, args ...any) *verdict {
	v := c.stay(reason, format, args...)
	v.cpu = cpu
	return v
}

// boundCPU brings the CPU within its bounds at once.
func (c *choice) boundCPU(v verdict) *verdict {
	switch most := c.most(); {
	case c.CPU > most && most == c.Resize.Room:
		return c.resize(most, NoRoom, "no node has room for %v of CPU for a pod: %s", c.CPU, c.Resize.Message)
	case c.CPU > most:
		return c.resize(most, AboveCap, "%v of CPU for a pod is too much: vertical.maxCPU is %v", c.CPU, c.Policy.Vertical.Max)
	case c.CPU < c.Policy.Vertical.Base:
		v.cpu = c.Policy.Vertical.Base
		return &v
	}
	return nil
}

// resizing reports whether the newest sample is not of pods with the CPU that they
// are to have.
func (c *choice) resizing() bool { return c.Resize.Pending || c.now.last().CPU != c.CPU }

// known reports whether the rates are those of the present pods.
func (c *choice) known() bool {
	return c.now != nil && c.now.settled && !c.now.stalled && c.KafkaReachable && c.Current == c.now.last().Replicas
}

// withCPU is what one pod can process if it is given that much CPU.
func (c *choice) withCPU(a *assessment, cpu CPU) float64 {
	if a.last().CPU <= 0 {
		return 0
	}
	return c.capacity(a) * float64(cpu) / float64(a.last().CPU)
}

// serves reports whether the present pods serve the demand when each of them does
// capacity, of which the share is planned with. Here a partition may not need more
// than a pod.
func (d demand) serves(pods int32, capacity, share float64) bool {
	for _, need := range d {
		if need > capacity*share {
			return false
		}
	}
	return d.fits(pods, capacity, share)
}

// moment is a time as messages show it.
func moment(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// gets puts a change of the CPU into words.
func gets(from, to CPU) string { return fmt.Sprintf("each pod gets %v of CPU instead of %v", to, from) }
