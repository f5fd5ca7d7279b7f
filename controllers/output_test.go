package controllers

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/kafkawatch"
)

// TestOutputs: the operator asks only for topics on the input's cluster, and the status
// names the topic that its figures are about.
func TestOutputs(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	dead := func(sp *v1alpha1.StreamProcessor) {
		sp.Spec.Failure.DeadLetter = &v1alpha1.DeadLetterSpec{Topic: "dead"}
	}
	byName := func(sp *v1alpha1.StreamProcessor) { sp.Spec.Processor.CEL.Topic = "key" }
	elsewhere := &v1alpha1.KafkaSpec{BootstrapServers: []string{"elsewhere:9092"}}
	for name, c := range map[string]struct {
		output *v1alpha1.OutputSpec
		asked  []string
		file   string
	}{
		"here":      {&v1alpha1.OutputSpec{Topic: "enriched"}, []string{"enriched", "dead"}, "topic: enriched"},
		"elsewhere": {&v1alpha1.OutputSpec{Topic: "orders", Kafka: elsewhere}, []string{"dead"}, "- elsewhere:9092"},
		"named":     {&v1alpha1.OutputSpec{Kafka: elsewhere}, []string{"dead"}, "- elsewhere:9092"},
		"none":      {nil, []string{"dead"}, "deliveryTimeout: 2m"},
	} {
		o.processor(name, dead, byName, func(sp *v1alpha1.StreamProcessor) { sp.Spec.Output = c.output })
		o.replicas(name, 2)
		o.settle(name)
		sp := o.expect(name, "Ready", yes, "Running")
		if got := o.kafka.target(o.key(name)); !slices.Equal(got.Outputs, c.asked) || !slices.Equal(got.Cluster.Kafka.BootstrapServers, []string{"kafka:9092"}) {
			t.Errorf("%s: the operator asks for topics %v of %v, want %v of the input's cluster", name, got.Outputs, got.Cluster.Kafka.BootstrapServers, c.asked)
		}
		if content := o.file(name).Data["worker.yaml"]; !strings.Contains(content, c.file) {
			t.Errorf("%s: the workers' file does not hold %q:\n%s", name, c.file, content)
		}
		if in := sp.Status.Input; in.Topic != "orders" {
			t.Errorf("%s: status.input.topic is %q, want orders", name, in.Topic)
		}
	}
}

// TestPartitionsOfAnotherTopic: after input.topic has changed, no pod starts by the former
// topic's number of partitions.
func TestPartitionsOfAnotherTopic(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("enrich")
	o.replicas("enrich", 2)
	o.settle("enrich")
	o.update("enrich", func(sp *v1alpha1.StreamProcessor) { sp.Spec.Suspend = true })
	o.replicas("enrich", 0)
	o.settle("enrich")
	o.expect("enrich", "Ready", yes, "Suspended")
	o.kafka.change(func(f *kafkawatch.Facts) { *f = kafkawatch.Facts{} })
	o.update("enrich", func(sp *v1alpha1.StreamProcessor) { sp.Spec.Input.Topic, sp.Spec.Suspend = "payments", false })
	sp := o.expect("enrich", "Ready", no, "WaitingForKafka")
	o.replicas("enrich", 0)
	if sp.Status.Input != nil {
		t.Errorf("the status shows %+v of the former topic", sp.Status.Input)
	}

	o.kafka.change(func(f *kafkawatch.Facts) { *f = newFakeKafka(3).facts })
	o.replicas("enrich", 2)
	o.eventually("the new topic in the status", func() error {
		sp := &v1alpha1.StreamProcessor{}
		if err := o.client.Get(context.Background(), o.key("enrich"), sp); err != nil {
			return err
		}
		if in := sp.Status.Input; in == nil || in.Topic != "payments" || in.Partitions != 3 {
			return fmt.Errorf("input %+v", in)
		}
		return nil
	})
}
