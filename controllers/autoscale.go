package controllers

import (
	"cmp"
	"context"
	"fmt"
	"math"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/kafkawatch"
	"github.com/millrace-dev/millrace/controllers/scaling"
)

// scaleInterval is how often autoscaling looks again by itself: Kafka's poller
// wakes nobody for offsets that stay as they are, and time is what a decision to
// take pods away waits for.
const scaleInterval = 5 * time.Second

// scale adds what the pollers have seen to the history, takes from it how long
// the lag takes, and decides where autoscaling is asked for.
func (r *Reconciler) scale(_ context.Context, s *scope) error {
	history := &s.memory.history
	s.memory.sampleFrom(s.target())
	if s.sp.Spec.Autoscaling != nil {
		s.recall(s.policy())
	}
	for _, seen := range r.Kafka.History(s.key) {
		if seen.At.After(s.memory.seen) {
			history.Append(s.sample(seen))
			s.memory.seen = seen.At
		}
	}
	if in := s.observed.Kafka.Input; in != nil {
		in.LagSeconds = scaling.Measure(history).LagSeconds
	}
	if spec := &s.sp.Spec; spec.Autoscaling != nil && !spec.Suspend && s.observed.GroupOwner == "" {
		s.autoscale(history, r.Clock.Now())
	}
	return nil
}

// sampleFrom forgets what was seen of another topic or group: their offsets would pass
// for records that have arrived and were processed.
func (m *memory) sampleFrom(t kafkawatch.Target) {
	source := fmt.Sprintf("%q %q %q", t.Topic, t.GroupID, t.Cluster.BootstrapServers)
	if m.source != "" && m.source != source {
		m.history = scaling.History{}
	}
	m.source = source
}

// sample is one look at Kafka with the pods as they are now.
func (s *scope) sample(seen kafkawatch.Sample) scaling.Sample {
	sample := scaling.Sample{
		At: seen.At, Replicas: s.observed.Held(), Saturation: s.workers.Saturation,
		Rebalancing: s.workers.Rebalancing, StartsLatest: s.sp.Spec.Input.StartOffset == v1alpha1.Latest,
	}
	if d := s.observed.Deployment; d != nil {
		sample.Ready = d.Status.ReadyReplicas
	}
	sample.CPU = s.meanCPU()
	for id, p := range seen.Partitions {
		sample.Partitions = append(sample.Partitions, scaling.Partition{
			ID: int32(id), Start: p.Start, End: p.End, Committed: p.Committed,
		})
	}
	for _, stuck := range s.workers.Stuck {
		sample.Stuck = append(sample.Stuck, stuck.Partition)
	}
	return sample
}

// meanCPU is the limit that the pods have in the mean; 0 without autoscaling.vertical.
func (s *scope) meanCPU() scaling.CPU {
	pods := s.observed.CPU.Pods
	if a := s.sp.Spec.Autoscaling; a == nil || a.Vertical == nil || len(pods) == 0 {
		return 0
	}
	var sum int64
	for _, p := range pods {
		sum += p.Has
	}
	return scaling.CPU(sum / int64(len(pods)))
}

func (s *scope) autoscale(history *scaling.History, now time.Time) {
	spec := s.sp.Spec.Autoscaling
	policy := s.policy()
	decided := scaling.Decide(scaling.Input{
		History: history, Policy: policy, Partitions: s.observed.Kafka.Partitions,
		Current: s.observed.Held(), CPU: s.cpuHeld(), Resize: s.resizing(), Now: now, LastChange: s.lastChange(),
		KafkaReachable: s.observed.Kafka.Trouble == nil,
	})
	history.Note(decided, now)
	d := decision(decided, now, s.observed.Kafka.Partitions)
	s.observed.Scaling = d
	last := cmp.Or(s.memory.undelivered.decision, s.sp.Status.LastScaleDecision)
	if (decided.Changed() || s.heldBack(decided.Reason)) && !repeats(last, d) {
		s.memory.undelivered.decision = d
	}
	if decided.Changed() && spec.Mode != v1alpha1.RecommendOnly {
		s.memory.changed = d.At.Time
	}
	s.learned = learned(history.Learned(policy, s.observed.Held(), now), s.lastChange())
	if s.observed.Held() > spec.MinReplicas || decided.Inputs.Lag > 0 || s.cpuHeld() > policy.Vertical.Base {
		s.waitFor(scaleInterval)
	}
}

// policy is what the spec asks for; scaling has defaults for the rest.
func (s *scope) policy() scaling.Policy {
	spec := s.sp.Spec.Autoscaling
	p := scaling.Policy{Min: spec.MinReplicas, Max: spec.MaxReplicas, TargetLag: length(spec.TargetLag), Vertical: s.vertical()}
	if b := spec.Behavior; b != nil {
		p.UpWindow, p.DownWindow = length(b.ScaleUp.StabilizationWindow), length(b.ScaleDown.StabilizationWindow)
		p.Activation, p.Cooldown = b.ActivationLagThreshold, length(b.Cooldown)
	}
	return p
}

func length(d *metav1.Duration) time.Duration {
	if d == nil {
		return 0
	}
	return d.Duration
}

// heldBack reports whether a reason for staying is worth telling of: records wait, and
// neither more pods nor more CPU are added for them. A resize that goes its ordinary way
// is not: the status would tell of it in the place of the decision that it follows from.
func (s *scope) heldBack(reason scaling.Reason) bool {
	switch reason {
	case scaling.AtCap, scaling.HotPartition, scaling.RaiseDidNotHelp, scaling.NoRoom, scaling.StuckPartitions:
		return true
	case scaling.ResizePending:
		return s.resizing().Message != ""
	}
	return false
}

// lastChange is when a decision was last carried out.
func (s *scope) lastChange() time.Time {
	if last := s.sp.Status.Autoscaling; s.memory.changed.IsZero() && last != nil && last.LastChange != nil {
		return last.LastChange.Time
	}
	return s.memory.changed
}

// vertical is what the spec says of the pods' CPU.
func (s *scope) vertical() scaling.Vertical {
	v := s.sp.Spec.Autoscaling.Vertical
	if v == nil {
		return scaling.Vertical{}
	}
	out := scaling.Vertical{Base: scaling.CPU(s.observed.CPU.Base), Max: scaling.CPU(v.MaxCPU.MilliValue())}
	if v.Step != nil {
		out.Step = scaling.CPU(v.Step.MilliValue())
	}
	return out
}

// cpuHeld is the limit that each pod is to have already.
func (s *scope) cpuHeld() scaling.CPU {
	return scaling.CPU(cmp.Or(s.observed.CPU.Held, s.observed.CPU.Base))
}

// resizing is how far the pods have come to it.
func (s *scope) resizing() scaling.Resize {
	c := &s.observed.CPU
	_, message := c.Trouble()
	return scaling.Resize{
		Pending: int(c.Resized(int64(s.cpuHeld()))) < len(c.Pods), Message: message, Room: scaling.CPU(c.Room()),
	}
}

// repeats reports whether a recommendation is the one before. What is carried out
// changes the number of pods, so it does not come again.
func repeats(last, d *v1alpha1.ScaleDecision) bool {
	return last != nil && last.From == d.From && last.To == d.To && last.Cap == d.Cap && last.Reason == d.Reason &&
		equality.Semantic.DeepEqual(last.CPU, d.CPU)
}

// decision is a decision as the status shows it.
func decision(d scaling.Decision, now time.Time, partitions int32) *v1alpha1.ScaleDecision {
	in := v1alpha1.ScaleInputs{
		Lag: d.Inputs.Lag, LagSeconds: d.Inputs.LagSeconds,
		ArrivedPerSecond:   int64(math.Round(d.Inputs.ArrivedPerSecond)),
		ProcessedPerSecond: int64(math.Round(d.Inputs.ProcessedPerSecond)),
		Partitions:         partitions, StuckPartitions: int32(len(d.Inputs.Stuck)),
	}
	if d.Inputs.Saturation >= 0 {
		in.SaturationPercent = new(int32(math.Round(100 * d.Inputs.Saturation)))
	}
	var cpu *v1alpha1.CPUChange
	if d.FromCPU != d.ToCPU {
		cpu = &v1alpha1.CPUChange{From: resource.MustParse(d.FromCPU.String()), To: resource.MustParse(d.ToCPU.String())}
	}
	return &v1alpha1.ScaleDecision{
		CPU:  cpu,
		From: d.From, To: d.To, Cap: d.Cap, Reason: string(d.Reason), Message: d.Message, Inputs: in,
		At: metav1.NewTime(now.Truncate(time.Second)), // as the API server keeps it
	}
}
