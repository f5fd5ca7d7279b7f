package scaling

import "strconv"

// CPU is an amount of CPU in thousandths of one.
type CPU int64

// String returns the amount as Kubernetes writes it: 1500m, 2.
func (c CPU) String() string {
	if c%1000 == 0 {
		return strconv.FormatInt(int64(c/1000), 10)
	}
	return strconv.FormatInt(int64(c), 10) + "m"
}

// Vertical bounds the CPU of each pod. It is in use if both Base and Max are set.
type Vertical struct {
	// Base is the limit that a pod starts with, Max the highest limit.
	Base, Max CPU
	// Step is the smallest change of the limit; Base by default.
	Step CPU
}

func (v Vertical) used() bool { return v.Base > 0 && v.Max > 0 }

// Resize is the progress of the pods towards the CPU that was decided.
type Resize struct {
	// Pending is set if some pods don't have that CPU yet. Message names them and the
	// reason.
	Pending bool
	Message string
	// Room is the most CPU that any pod's node can give it, as far as is known; 0 for
	// no such bound.
	Room CPU
}

// limits are the CPU limits that a pod may get: from base in steps up to most, and most
// itself.
type limits struct{ base, step, most CPU }

// limits returns those that the bounds and the nodes' room allow.
func (v Vertical) limits(room CPU) limits {
	l := limits{base: v.Base, step: v.Step, most: max(v.Base, v.Max)}
	if room > 0 {
		l.most = max(v.Base, min(l.most, room))
	}
	if l.step <= 0 {
		l.step = v.Base
	}
	return l
}

// all yields the limits, the lowest first.
func (l limits) all(yield func(CPU) bool) {
	for cpu := l.base; cpu < l.most; cpu += l.step {
		if !yield(cpu) {
			return
		}
	}
	yield(l.most)
}

// above returns the lowest limit above cpu, or the highest limit if there is none.
func (l limits) above(cpu CPU) CPU {
	for limit := range l.all {
		if limit > cpu {
			return limit
		}
	}
	return l.most
}
