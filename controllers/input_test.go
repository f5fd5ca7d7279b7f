package controllers

import (
	"errors"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/kafkawatch"
	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/controllers/podwatch"
)

// TestWithoutAnswersFromKafka: at first the manifest bounds the number of pods, then a
// pod's answer, then Kafka's. The status names the source.
func TestWithoutAnswersFromKafka(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.kafka.change(func(f *kafkawatch.Facts) { *f = kafkawatch.Facts{Err: errNoBroker} })
	source := func(want v1alpha1.PartitionsSource, partitions int32) {
		t.Helper()
		o.eventually("the source of the partitions to be "+string(want), func() error {
			sp := &v1alpha1.StreamProcessor{}
			if err := o.client.Get(o.Context(), o.key("enrich"), sp); err != nil {
				return err
			}
			if in := sp.Status.Input; in == nil || in.PartitionsSource != want || in.Partitions != partitions {
				return errors.New(conditionOf(sp, "KafkaReachable"))
			}
			return nil
		})
	}
	o.processor("enrich", wantsReplicas(5))
	o.expect("enrich", "KafkaReachable", no, "KafkaUnreachable", "connection refused", "set spec.input.partitions")
	o.replicas("enrich", 0)
	o.update("enrich", func(sp *v1alpha1.StreamProcessor) { sp.Spec.Input.Partitions = new(int32(4)) })
	o.replicas("enrich", 4)
	o.expect("enrich", "KafkaReachable", no, "KafkaUnreachable", "spec.input.partitions", "4 partitions")
	source(v1alpha1.PartitionsFromSpec, 4)
	o.settle("enrich")
	o.expect("enrich", "Ready", yes, "Running")
	o.pods.change(o.key("enrich"), podwatch.Facts{Saturation: -1, Partitions: map[string]int32{"orders": 3, "other": 9}})
	o.replicas("enrich", 3)
	o.expect("enrich", "KafkaReachable", no, "KafkaUnreachable", "the pods say", "3 partitions")
	source(v1alpha1.PartitionsFromWorkers, 3)
	o.kafka.change(func(f *kafkawatch.Facts) {
		*f = kafkawatch.Facts{At: time.Now(), Partitions: make([]kafkawatch.Partition, 8)}
	})
	o.replicas("enrich", 5)
	source(v1alpha1.PartitionsFromKafka, 8)
}

// TestSourcesOfPartitions: the number of partitions comes from the best source; the
// earlier status is one of them.
func TestSourcesOfPartitions(t *testing.T) {
	kafka, workers, spec := v1alpha1.PartitionsFromKafka, v1alpha1.PartitionsFromWorkers, v1alpha1.PartitionsFromSpec
	for _, test := range []struct {
		name    string
		last    v1alpha1.InputStatus
		stated  int32 // 0 for absent
		workers int32
		trouble bool
		want    int32
		source  v1alpha1.PartitionsSource
	}{
		{name: "nobody knows", trouble: true},
		{name: "stated, and Kafka was not asked yet", stated: 4},
		{name: "stated", stated: 4, trouble: true, want: 4, source: spec},
		{name: "stated otherwise", last: v1alpha1.InputStatus{Partitions: 4, PartitionsSource: spec}, stated: 6, trouble: true, want: 6, source: spec},
		{name: "stated no more", last: v1alpha1.InputStatus{Partitions: 4, PartitionsSource: spec}, trouble: true},
		{name: "an operator that starts again", last: v1alpha1.InputStatus{Partitions: 4, PartitionsSource: spec}, stated: 6, want: 4, source: spec},
		{name: "Kafka once said fewer", last: v1alpha1.InputStatus{Partitions: 3, PartitionsSource: kafka}, stated: 6, trouble: true, want: 3, source: kafka},
		{name: "workers say fewer than was stated", last: v1alpha1.InputStatus{Partitions: 6, PartitionsSource: spec}, stated: 6, workers: 2, trouble: true, want: 2, source: workers},
		{name: "workers say what Kafka said", last: v1alpha1.InputStatus{Partitions: 6, PartitionsSource: kafka}, workers: 6, trouble: true, want: 6, source: kafka},
		{name: "a worker has not seen that the topic grew", last: v1alpha1.InputStatus{Partitions: 6, PartitionsSource: kafka}, workers: 3, trouble: true, want: 6, source: kafka},
		{name: "the topic grew", last: v1alpha1.InputStatus{Partitions: 6, PartitionsSource: kafka}, workers: 8, trouble: true, want: 8, source: workers},
		{name: "another topic", last: v1alpha1.InputStatus{Topic: "former", Partitions: 6, PartitionsSource: kafka}, trouble: true},
		{name: "another cluster", last: v1alpha1.InputStatus{BootstrapServers: []string{"former:9092"}, Partitions: 6, PartitionsSource: kafka}, stated: 3, trouble: true, want: 3, source: spec},
		{name: "one of several brokers is replaced", last: v1alpha1.InputStatus{BootstrapServers: []string{"former:9092", "kafka:9092"}, Partitions: 6, PartitionsSource: kafka}, trouble: true, want: 6, source: kafka},
	} {
		sp := &v1alpha1.StreamProcessor{Spec: v1alpha1.StreamProcessorSpec{
			Kafka: v1alpha1.KafkaSpec{BootstrapServers: []string{"kafka:9092"}}, Input: v1alpha1.InputSpec{Topic: "orders"},
		}}
		sp.ObjectMeta = metav1.ObjectMeta{Name: "enrich"}
		sp.Status.Input = &test.last
		if test.stated > 0 {
			sp.Spec.Input.Partitions = &test.stated
		}
		k := plan.Kafka{}
		if test.trouble {
			k.Trouble = &plan.Trouble{}
		}
		input := inputTopic{sp: sp, known: &k, workers: &podwatch.Facts{Partitions: map[string]int32{"orders": test.workers}}}
		input.takeFromStatus()
		input.takeFromWorkersOrSpec()
		if k.Partitions != test.want || k.Source != test.source {
			t.Errorf("%s: %d from %q, want %d from %q", test.name, k.Partitions, k.Source, test.want, test.source)
		}
	}
}
