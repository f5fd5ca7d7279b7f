package controllers

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/kafkawatch"
	"github.com/millrace-dev/millrace/controllers/plan"
	"github.com/millrace-dev/millrace/controllers/podwatch"
	"github.com/millrace-dev/millrace/controllers/resources"
	"github.com/millrace-dev/millrace/hack/pages/page"
)

// TestTheDocumentedStatus: docs/status.md shows the whole status that the operator writes, as
// kubectl describes it. Only times, versions and the lag in seconds may differ.
func TestTheDocumentedStatus(t *testing.T) {
	t.Parallel()
	o := newOperator(t, 3)
	o.home = "millrace-system"
	o.lag([]kafkawatch.Partition{{End: 62, Committed: 22}, {End: 83, Committed: 25}, {End: 55, Committed: 17}})
	o.run(plan.Environment{WorkerImage: "worker:1"})
	o.processor("checkouts", func(sp *v1alpha1.StreamProcessor) {
		sp.Spec.Kafka.BootstrapServers = []string{"10.88.0.1:9092"}
		sp.Spec.Input.Topic, sp.Spec.Output.Topic, sp.Spec.Replicas = "checkouts", "checkouts-copy", nil
	})
	o.update("checkouts", func(sp *v1alpha1.StreamProcessor) { sp.Spec.Replicas = new(int32(5)) })
	o.evaluates("checkouts", 3)

	want := statusIn(documentedDescription(t))
	o.eventually("the status of the document", func() error {
		text, err := o.api.Kubectl(t, "", "describe", "sp", "checkouts", "--namespace", o.namespace)
		if err != nil {
			return err
		}
		if got := statusIn(strings.ReplaceAll(text, o.namespace, "default")); got != want {
			return fmt.Errorf("it is\n%s\nand docs/status.md shows\n%s", got, want)
		}
		return nil
	})
}

// lag sets the partitions, and a history in which each of them moves on.
func (o *operator) lag(partitions []kafkawatch.Partition) {
	o.kafka.change(func(f *kafkawatch.Facts) { f.Partitions = partitions })
	for ago := 20; ago >= 0; ago -= 10 {
		earlier := make([]kafkawatch.Partition, len(partitions))
		for i, p := range partitions {
			earlier[i] = kafkawatch.Partition{End: p.End - int64(ago), Committed: p.Committed - int64(ago/2)}
		}
		o.kafka.history = append(o.kafka.history, kafkawatch.Sample{At: time.Now().Add(-time.Duration(ago) * time.Second), Partitions: earlier})
	}
}

// evaluates has so many pods of a StreamProcessor run, and report that they evaluate its
// expressions.
func (o *operator) evaluates(name string, n int) {
	o.Helper()
	d := o.runs(name, int32(n))
	o.patch(d, fmt.Sprintf(`{"metadata": {"annotations": {%q: "1"}}}`, revisionAnnotation))
	o.settle(name)
	set, version := o.replicaSet(d, "1"), resources.VersionIn(o.expressions(name))
	facts := podwatch.Facts{Asked: n, Answered: n, Saturation: -1}
	for i := range n {
		pod := fmt.Sprintf("%s-%d", name, i)
		o.pod(d, pod, set, fmt.Sprintf("10.0.0.%d", i+1))
		facts.Expressions = append(facts.Expressions, running(pod, version))
	}
	o.pods.change(o.key(name), facts)
}

func documentedDescription(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../docs/status.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, block := range page.Blocks(string(text)) {
		for _, step := range block.Steps(string(text)) {
			if step.Command == "kubectl describe sp checkouts\n" {
				return step.Output
			}
		}
	}
	t.Fatal("docs/status.md does not describe checkouts")
	return ""
}

var (
	timeInStatus    = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`)
	versionInStatus = regexp.MustCompile(`(Version: +)[0-9a-f]{16}\b`)
	secondsInStatus = regexp.MustCompile(`(Lag Seconds: +)\d+`)
)

// statusIn returns the status in a description, without the parts that differ each time.
func statusIn(description string) string {
	_, after, _ := strings.Cut(description, "\nStatus:\n")
	status, _, _ := strings.Cut(after, "Events:")
	status = timeInStatus.ReplaceAllString(status, "TIME")
	status = versionInStatus.ReplaceAllString(status, "${1}VERSION")
	return secondsInStatus.ReplaceAllString(status, "${1}N")
}
