package controllers

import (
	"cmp"
	"math"
	"time"

	"k8s.io/apimachinery/pkg/api/equality"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/kafkawatch"
	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/controllers/podwatch"
	"github.com/millrace-dev/millrace/controllers/scaling"
)

// sizing translates between one reconciliation and package scaling.
type sizing struct {
	sp       *v1alpha1.StreamProcessor
	observed *plan.Observed
	workers  *podwatch.Facts
	load     *load
	news     *news
}

// restore continues the history from the status, once, when an operator has just
// started.
func (z sizing) restore() {
	if z.load.restored {
		return
	}
	z.load.restored = true
	if st := z.sp.Status.Autoscaling; st != nil && (z.sp.Status.Input == nil || lastInput(z.sp) != nil) {
		z.load.history.Restore(learnedFrom(st), z.policy(), z.observed.Held())
	}
}

// sample joins one look at Kafka with the present pods.
func (z sizing) sample(seen kafkawatch.Sample) scaling.Sample {
	sample := scaling.Sample{
		At: seen.At, Replicas: z.observed.Held(), Saturation: z.workers.Saturation,
		Rebalancing: z.workers.Rebalancing, StartsLatest: z.sp.Spec.Input.StartOffset == v1alpha1.Latest,
	}
	if d := z.observed.Deployment; d != nil {
		sample.Ready = d.Status.ReadyReplicas
	}
	sample.CPU = z.meanCPU()
	for id, p := range seen.Partitions {
		sample.Partitions = append(sample.Partitions, scaling.Partition{
			ID: int32(id), Start: p.Start, End: p.End, Committed: p.Committed,
		})
	}
	for _, stuck := range z.workers.Stuck {
		sample.Stuck = append(sample.Stuck, stuck.Partition)
	}
	return sample
}

// meanCPU returns the mean of the pods' CPU limits; 0 without autoscaling.vertical.
func (z sizing) meanCPU() scaling.CPU {
	pods := z.observed.CPU.Pods
	if a := z.sp.Spec.Autoscaling; a == nil || a.Vertical == nil || len(pods) == 0 {
		return 0
	}
	var sum int64
	for _, p := range pods {
		sum += p.Has
	}
	return scaling.CPU(sum / int64(len(pods)))
}

// decide has scaling decide, and records the decision for the plan and the status.
func (z sizing) decide(now time.Time) scaling.Decision {
	decided := scaling.Decide(scaling.Input{
		History: &z.load.history, Policy: z.policy(), Partitions: z.observed.Kafka.Partitions,
		Current: z.observed.Held(), CPU: z.cpuHeld(), Resize: z.resizing(), Now: now, LastChange: z.lastChange(),
		KafkaReachable: z.observed.Kafka.Trouble == nil,
	})
	z.load.history.Note(decided, now)
	d := decision(decided, now, z.observed.Kafka.Partitions)
	z.observed.Scaling = d
	last := cmp.Or(z.news.decision, z.sp.Status.LastScaleDecision)
	if (decided.Changed() || z.heldBack(decided.Reason)) && !repeats(last, d) {
		z.news.decision = d
	}
	if decided.Changed() && z.sp.Spec.Autoscaling.Mode != v1alpha1.RecommendOnly {
		z.load.changed = d.At.Time
	}
	return decided
}

// learned returns the status' part about autoscaling.
func (z sizing) learned(now time.Time) *v1alpha1.AutoscalingStatus {
	return learned(z.load.history.Learned(z.policy(), z.observed.Held(), now), z.lastChange())
}

// mayLower reports whether pods or CPU may become superfluous by time alone.
func (z sizing) mayLower(decided scaling.Decision) bool {
	return z.observed.Held() > z.sp.Spec.Autoscaling.MinReplicas || decided.Inputs.Lag > 0 || z.cpuHeld() > z.vertical().Base
}

// policy returns the spec's part about autoscaling; scaling has defaults for the rest.
func (z sizing) policy() scaling.Policy {
	spec := z.sp.Spec.Autoscaling
	p := scaling.Policy{Min: spec.MinReplicas, Max: spec.MaxReplicas, TargetLag: length(spec.TargetLag), Vertical: z.vertical()}
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

// vertical returns the spec's part about the pods' CPU.
func (z sizing) vertical() scaling.Vertical {
	v := z.sp.Spec.Autoscaling.Vertical
	if v == nil {
		return scaling.Vertical{}
	}
	out := scaling.Vertical{Base: scaling.CPU(z.observed.CPU.Base), Max: scaling.CPU(v.MaxCPU.MilliValue())}
	if v.Step != nil {
		out.Step = scaling.CPU(v.Step.MilliValue())
	}
	return out
}

// heldBack reports whether the status shows the reason of a decision that changes
// nothing: records wait, and scaling adds neither pods nor CPU for them. A resize that
// makes progress is not shown: it would replace the decision that it follows from.
func (z sizing) heldBack(reason scaling.Reason) bool {
	switch reason {
	case scaling.AtCap, scaling.HotPartition, scaling.RaiseDidNotHelp, scaling.NoRoom, scaling.StuckPartitions:
		return true
	case scaling.ResizePending:
		return z.resizing().Message != ""
	}
	return false
}

// lastChange returns the time of the last change that autoscaling made.
func (z sizing) lastChange() time.Time {
	if last := z.sp.Status.Autoscaling; z.load.changed.IsZero() && last != nil && last.LastChange != nil {
		return last.LastChange.Time
	}
	return z.load.changed
}

// cpuHeld returns the limit that the Deployment notes for each pod, or the template's.
func (z sizing) cpuHeld() scaling.CPU {
	return scaling.CPU(cmp.Or(z.observed.CPU.Held, z.observed.CPU.Base))
}

// resizing returns the progress of the pods towards that limit.
func (z sizing) resizing() scaling.Resize {
	c := &z.observed.CPU
	_, message := c.Trouble()
	return scaling.Resize{
		Pending: int(c.Resized(int64(z.cpuHeld()))) < len(c.Pods), Message: message, Room: scaling.CPU(c.Room()),
	}
}

// repeats reports whether a recommendation equals the last one. A decision that is
// carried out changes the number of pods, so it does not come again.
func repeats(last, d *v1alpha1.ScaleDecision) bool {
	return last != nil && last.From == d.From && last.To == d.To && last.Cap == d.Cap && last.Reason == d.Reason &&
		equality.Semantic.DeepEqual(last.CPU, d.CPU)
}

// decision returns a decision as the status shows it.
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
