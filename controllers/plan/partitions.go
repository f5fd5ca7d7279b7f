package plan

import (
	"fmt"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// partitionsKnown says, for the message of why Kafka does not answer, where the number
// of partitions comes from that bounds the pods.
func (o *Observed) partitionsKnown() string {
	topic, partitions := o.Processor.Spec.Input.Topic, count(o.Kafka.Partitions, "partition")
	switch {
	case o.Kafka.Partitions == 0 && o.Kafka.Trouble.Refused:
		return "" // it was reached
	case o.Kafka.Partitions == 0:
		return "; if the operator can't reach Kafka at all, set spec.input.partitions to the number that the topic has, so that pods start"
	case o.Kafka.Source == v1alpha1.PartitionsFromWorkers:
		return fmt.Sprintf("; the pods say that topic %q has %s", topic, partitions)
	case o.Kafka.Source == v1alpha1.PartitionsFromSpec:
		return fmt.Sprintf("; spec.input.partitions says that topic %q has %s, until a pod says how many there are", topic, partitions)
	}
	return ""
}
