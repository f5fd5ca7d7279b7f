package controllers

import (
	"slices"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/resources"
)

// lastPartitions is what the status knows of the topic: an operator that has just
// started knows this much.
func (s *scope) lastPartitions() {
	if k, last := &s.observed.Kafka, s.lastInput(); last != nil {
		k.Partitions, k.Source = last.Partitions, last.PartitionsSource
	}
}

// lastInput is what the status says of the input topic, nil if that is of another, or
// of one on another cluster: that has none of the brokers that the spec names.
func (s *scope) lastInput() *v1alpha1.InputStatus {
	last := s.sp.Status.Input
	if last == nil || last.Topic != "" && last.Topic != s.sp.Spec.Input.Topic {
		return nil
	}
	common := func(server string) bool { return slices.Contains(s.sp.Spec.Kafka.BootstrapServers, server) }
	if len(last.BootstrapServers) > 0 && !slices.ContainsFunc(last.BootstrapServers, common) {
		return nil
	}
	return last
}

// observePartitions finds how many partitions the topic has where Kafka does not say
// it. The workers, which read it, know better than the spec, and better than an answer
// of long ago if they know of more. The spec counts only once Kafka could not be asked:
// a moment later it may say that there are fewer.
func (s *scope) observePartitions() {
	k := &s.observed.Kafka
	if k.Input != nil && k.Trouble == nil {
		return
	}
	seen := s.workers.Partitions[s.sp.Spec.Input.Topic]
	stated := s.sp.Spec.Input.Partitions
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

// fillInput puts into the status what is known of the topic. While Kafka does not
// answer, only the number of partitions may change.
func (s *scope) fillInput() {
	k, st := &s.observed.Kafka, &s.sp.Status
	in := s.lastInput()
	if k.Input != nil {
		in = k.Input
	}
	if in == nil && k.Partitions > 0 {
		in = &v1alpha1.InputStatus{Topic: s.sp.Spec.Input.Topic, GroupID: resources.GroupID(s.sp)}
	}
	if in != nil {
		in = in.DeepCopy()
		in.BootstrapServers = s.sp.Spec.Kafka.BootstrapServers
	}
	if in != nil && k.Source != "" {
		in.Partitions, in.PartitionsSource = k.Partitions, k.Source
	}
	st.Input = in
}
