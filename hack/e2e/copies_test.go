//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/hack/e2e/cluster"
)

// copier is a StreamProcessor, in any namespace, that copies topic NAME to NAME-copy.
type copier struct{ namespace, name string }

// run creates the topics, applies the manifest and waits until a record is copied.
func (c copier) run(s *suite, manifest string) {
	s.Helper()
	s.kafka.CreateTopic(c.name, 2, nil)
	s.kafka.CreateTopic(c.name+"-copy", 2, nil)
	c.apply(s, manifest)
	s.awaitStreamProcessor(c.namespace, c.name, ready()...)
	c.copies(s)
}

func (c copier) apply(s *suite, manifest string) {
	s.Helper()
	s.program(manifest, s.tool("kubectl"), "apply", "--namespace", c.namespace, "-f", "-")
}

// copies waits until one more record is copied.
func (c copier) copies(s *suite) {
	s.Helper()
	count := func() int64 {
		ends := s.kafka.EndOffsets(c.name+"-copy", kgo.ReadUncommitted())
		return ends[0] + ends[1]
	}
	before := count()
	s.kafka.Produce(&kgo.Record{Topic: c.name, Value: []byte("hello")})
	s.await("the copy", patience, func() error {
		if now := count(); now != before+1 {
			return fmt.Errorf("there are %d records, and there were %d", now, before)
		}
		return nil
	})
}

func (c copier) pods(s *suite) ([]corev1.Pod, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	var list corev1.PodList
	err := s.client.List(ctx, &list, client.InNamespace(c.namespace), client.MatchingLabels{
		"app.kubernetes.io/name": "streamprocessor", "app.kubernetes.io/instance": c.name,
	})
	return list.Items, err
}

// withKafka replaces spec.kafka in a manifest by lines indented by four.
func withKafka(manifest, kafka string) string {
	plain := fmt.Sprintf("  kafka: {bootstrapServers: [\"%s:9092\"]}\n", cluster.NodeAddress)
	return strings.Replace(manifest, plain, "  kafka:\n"+kafka, 1)
}

// awaitStreamProcessor is awaitConditions for a StreamProcessor of another namespace.
func (s *suite) awaitStreamProcessor(namespace, name string, want ...condition) {
	s.Helper()
	s.await(fmt.Sprintf("StreamProcessor %s/%s with %v", namespace, name, want), patience, func() error {
		sp := &v1alpha1.StreamProcessor{}
		if err := s.get(namespace, name, sp); err != nil {
			return err
		}
		if sp.Status.ObservedGeneration != sp.Generation {
			return fmt.Errorf("the status is of generation %d, not %d", sp.Status.ObservedGeneration, sp.Generation)
		}
		var errs []error
		for _, w := range want {
			errs = append(errs, w.check(sp.Status.Conditions))
		}
		return errors.Join(errs...)
	})
}
