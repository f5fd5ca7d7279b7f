package simulate

import (
	"slices"
	"time"
)

// ReplicaHours returns the hours of all pods, and those of the oracle's pods.
func (r *Run) ReplicaHours() (own, oracle float64) {
	for _, p := range r.Points {
		own += float64(max(p.Replicas, p.Ready)) / 3600
		oracle += float64(p.Oracle) / 3600
	}
	return own, oracle
}

// Behind returns the longest uninterrupted time during which records waited longer than the
// target.
func (r *Run) Behind() time.Duration {
	longest, now := 0, 0
	for _, p := range r.Points {
		if p.Waited > r.Scenario.Policy.TargetLag.Seconds() {
			now++
			longest = max(longest, now)
		} else {
			now = 0
		}
	}
	return time.Duration(longest) * time.Second
}

// Changes returns the decisions that changed the number of pods or their CPU.
func (r *Run) Changes() []Act {
	var acts []Act
	for _, a := range r.Acts {
		if a.Changed() {
			acts = append(acts, a)
		}
	}
	return acts
}

// Raises returns the number of decisions that raised the number of pods.
func (r *Run) Raises() (n int) {
	for _, a := range r.Changes() {
		if a.To > a.From {
			n++
		}
	}
	return n
}

// Resizes returns the number of decisions that changed the pods' CPU.
func (r *Run) Resizes() (n int) {
	for _, a := range r.Changes() {
		if a.ToCPU != a.FromCPU {
			n++
		}
	}
	return n
}

// Turns returns how often a raise followed a lowering, or the reverse.
func (r *Run) Turns() (n int) {
	changes := slices.DeleteFunc(r.Changes(), func(a Act) bool { return a.To == a.From })
	for i := range changes[min(1, len(changes)):] {
		if (changes[i].To > changes[i].From) != (changes[i+1].To > changes[i+1].From) {
			n++
		}
	}
	return n
}
