//go:build e2e

package e2e

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// condition is an expected condition.
type condition struct {
	kind   string
	status metav1.ConditionStatus
	reason string   // "" is any
	words  []string // in its message
}

func (want condition) String() string {
	return fmt.Sprintf("%s=%s %s %q", want.kind, want.status, want.reason, want.words)
}

func (want condition) check(conditions []metav1.Condition) error {
	got := meta.FindStatusCondition(conditions, want.kind)
	if got == nil && want.status == metav1.ConditionFalse {
		return nil // most are there only while they are true
	}
	if got == nil {
		return fmt.Errorf("there is no condition %s", want.kind)
	}
	said := fmt.Errorf("the condition is %s=%s %s: %s", got.Type, got.Status, got.Reason, got.Message)
	if got.Status != want.status || want.reason != "" && got.Reason != want.reason {
		return said
	}
	for _, word := range want.words {
		if !strings.Contains(got.Message, word) {
			return said
		}
	}
	return nil
}

// awaitConditions waits until a StreamProcessor has all these conditions for its present
// generation.
func (s *suite) awaitConditions(name string, want ...condition) {
	s.Helper()
	s.await(fmt.Sprintf("StreamProcessor %s with %v", name, want), patience, func() error {
		sp, err := s.processor(name)
		if err != nil {
			return err
		}
		if sp.Status.ObservedGeneration != sp.Generation {
			return fmt.Errorf("the status is of generation %d, not %d", sp.Status.ObservedGeneration, sp.Generation)
		}
		for _, w := range want {
			if err := w.check(sp.Status.Conditions); err != nil {
				return err
			}
		}
		return nil
	})
}

// ready returns the conditions of a running StreamProcessor.
func ready() []condition {
	return []condition{
		{kind: "Ready", status: metav1.ConditionTrue, reason: "Running"},
		{kind: "Reconciling", status: metav1.ConditionFalse},
		{kind: "Stalled", status: metav1.ConditionFalse},
		{kind: "KafkaReachable", status: metav1.ConditionTrue},
	}
}

func (s *suite) processor(name string) (*v1alpha1.StreamProcessor, error) {
	sp := &v1alpha1.StreamProcessor{}
	err := s.get(namespace, name, sp)
	return sp, err
}

// group returns the default consumer group of a StreamProcessor.
func group(name string) string { return "millrace-" + namespace + "." + name }

func (s *suite) deployment(name string) (*appsv1.Deployment, error) {
	d := &appsv1.Deployment{}
	err := s.get(namespace, name+"-worker", d)
	return d, err
}

func (s *suite) get(namespace, name string, object client.Object) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	return s.client.Get(ctx, client.ObjectKey{Namespace: namespace, Name: name}, object)
}

// pods returns the worker pods, including those that terminate.
func (s *suite) pods(name string) ([]corev1.Pod, error) { return copier{namespace, name}.pods(s) }

// awaitWorkers waits until there are exactly that many pods, all of them ready and with the
// present template.
func (s *suite) awaitWorkers(name string, count int32) {
	s.Helper()
	s.await(fmt.Sprintf("%d pods of %s", count, name), patience, func() error {
		d, err := s.deployment(name)
		if err != nil {
			return err
		}
		if d.Status.ObservedGeneration != d.Generation {
			return errors.New("the Deployment has not been looked at")
		}
		if *d.Spec.Replicas != count || d.Status.UpdatedReplicas != count || d.Status.ReadyReplicas != count {
			return fmt.Errorf("the Deployment asks for %d pods, has %d up to date, %d ready",
				*d.Spec.Replicas, d.Status.UpdatedReplicas, d.Status.ReadyReplicas)
		}
		pods, err := s.pods(name)
		if err == nil && len(pods) != int(count) {
			err = fmt.Errorf("there are %d pods", len(pods))
		}
		return err
	})
}

// held fails the test if check returns an error before the time is over.
func (s *suite) held(what string, span time.Duration, check func() error) {
	s.Helper()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(span); time.Now().Before(end); <-tick.C {
		if err := check(); err != nil {
			s.Fatalf("%s: %v", what, err)
		}
	}
}
