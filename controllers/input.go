package controllers

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/kafkawatch"
	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/controllers/podwatch"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/controllers/status"
)

// inputTopic joins the knowledge of the input topic from the status, from Kafka and from
// the workers.
type inputTopic struct {
	sp      *v1alpha1.StreamProcessor
	known   *plan.Kafka
	facts   *kafkawatch.Facts
	workers *podwatch.Facts
}

// takeFromStatus takes the number of partitions from the status: an operator that has
// just started knows no other.
func (t inputTopic) takeFromStatus() {
	if last := lastInput(t.sp); last != nil {
		t.known.Partitions, t.known.Source = last.Partitions, last.PartitionsSource
	}
}

// lastInput returns the status' part about the input topic; nil if it is about another
// topic or another cluster. Another cluster has none of the brokers that the spec names.
func lastInput(sp *v1alpha1.StreamProcessor) *v1alpha1.InputStatus {
	last := sp.Status.Input
	if last == nil || last.Topic != "" && last.Topic != sp.Spec.Input.Topic {
		return nil
	}
	common := func(server string) bool { return slices.Contains(sp.Spec.Kafka.BootstrapServers, server) }
	if len(last.BootstrapServers) > 0 && !slices.ContainsFunc(last.BootstrapServers, common) {
		return nil
	}
	return last
}

// takeFromKafka takes Kafka's last good answer.
func (t inputTopic) takeFromKafka(now time.Time) {
	for _, topic := range t.facts.Missing {
		t.known.Missing = append(t.known.Missing, fmt.Sprintf("%q", topic))
	}
	if len(t.known.Missing) > 0 {
		t.known.MissingFor = now.Sub(t.facts.MissingSince)
	}
	if len(t.facts.Partitions) > 0 {
		t.known.Partitions, t.known.Source = int32(len(t.facts.Partitions)), v1alpha1.PartitionsFromKafka
		t.known.Input = t.statusFromKafka()
		t.known.Unknown, t.known.Gone = t.facts.Unknown, t.offsetsGone()
	}
}

// takeFromWorkersOrSpec takes the number of partitions from the workers or the spec
// while Kafka gives none. The workers, which read the topic, know better than the spec,
// and better than an old answer of Kafka's if they know of more. The spec counts only
// after an error: before the first answer Kafka may say a moment later that there are
// fewer.
func (t inputTopic) takeFromWorkersOrSpec() {
	k := t.known
	if k.Input != nil && k.Trouble == nil {
		return
	}
	seen := t.workers.Partitions[t.sp.Spec.Input.Topic]
	stated := t.sp.Spec.Input.Partitions
	fromKafka := k.Source == v1alpha1.PartitionsFromKafka || k.Source == "" && k.Partitions > 0
	switch {
	case seen > k.Partitions, seen > 0 && !fromKafka:
		k.Partitions, k.Source = seen, v1alpha1.PartitionsFromWorkers
	case k.Trouble != nil && k.Source == v1alpha1.PartitionsFromSpec && stated == nil:
		k.Partitions, k.Source = 0, ""
	case k.Trouble != nil && stated != nil && (k.Partitions == 0 || k.Source == v1alpha1.PartitionsFromSpec):
		k.Partitions, k.Source = *stated, v1alpha1.PartitionsFromSpec
	}
}

// offsetsGone returns the partitions whose committed offsets are gone. An operator that
// has just started did not see them go. If the condition in the status is True, it takes
// all partitions without a committed offset for them.
func (t inputTopic) offsetsGone() []int32 {
	if len(t.facts.Gone) > 0 || !meta.IsStatusConditionTrue(t.sp.Status.Conditions, status.OffsetsGone) {
		return t.facts.Gone
	}
	var without []int32
	for id, p := range t.facts.Partitions {
		if p.Committed < 0 {
			without = append(without, int32(id))
		}
	}
	return without
}

// statusFromKafka sums Kafka's last answer up.
func (t inputTopic) statusFromKafka() *v1alpha1.InputStatus {
	start := t.sp.Spec.Input.StartOffset
	in := &v1alpha1.InputStatus{
		Topic:      t.sp.Spec.Input.Topic,
		GroupID:    resources.GroupID(t.sp),
		Partitions: int32(len(t.facts.Partitions)),

		UnknownPartitions: t.facts.Unknown[:min(len(t.facts.Unknown), shown)],
	}
	for id, p := range t.facts.Partitions {
		lag := lagOf(p, start)
		in.Lag += lag
		if lag > 0 {
			in.PartitionsBehind = append(in.PartitionsBehind, v1alpha1.PartitionLag{
				Partition: int32(id), Committed: p.Committed, Lag: lag,
			})
		}
	}
	slices.SortStableFunc(in.PartitionsBehind, func(a, b v1alpha1.PartitionLag) int { return cmp.Compare(b.Lag, a.Lag) })
	in.PartitionsBehind = in.PartitionsBehind[:min(len(in.PartitionsBehind), shown)]
	return in
}

// lagOf returns the number of offsets of a partition that are not processed yet. If
// nothing is committed, it counts from where startOffset would begin.
func lagOf(p kafkawatch.Partition, start v1alpha1.StartOffset) int64 {
	from := p.Committed
	if from < 0 {
		from = p.Start
		if start == v1alpha1.Latest {
			from = p.End
		}
	}
	// Kafka may have deleted the log at the committed offset by now.
	return max(0, p.End-max(from, p.Start))
}

// status returns the status' part about the input topic; nil if nothing is known. While
// Kafka does not answer, only the number of partitions may change.
func (t inputTopic) status() *v1alpha1.InputStatus {
	in := lastInput(t.sp)
	if t.known.Input != nil {
		in = t.known.Input
	}
	if in == nil && t.known.Partitions > 0 {
		in = &v1alpha1.InputStatus{Topic: t.sp.Spec.Input.Topic, GroupID: resources.GroupID(t.sp)}
	}
	if in == nil {
		return nil
	}
	in = in.DeepCopy()
	in.BootstrapServers = t.sp.Spec.Kafka.BootstrapServers
	if t.known.Source != "" {
		in.Partitions, in.PartitionsSource = t.known.Partitions, t.known.Source
	}
	return in
}
