//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"slices"
	"syscall"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// killWorker kills a worker, which gets no chance to drain.
func killWorker(s *suite) {
	name := s.pod(checkouts)
	s.kill(namespace, name)
	s.awaitRestart(namespace, name)
	s.awaitWorkers(checkouts, 5)
	s.awaitConditions(checkouts, ready()...)
}

// killOperator kills the operator. The workers have to keep running, and the next operator has
// to continue.
func killOperator(s *suite) {
	before, err := s.pods(checkouts)
	if err != nil {
		s.Fatal(err)
	}
	name := s.operatorPod()
	s.kill(system, name)
	s.awaitRestart(system, name)
	s.kubectl("scale", "sp/"+checkouts, "--replicas=4")
	s.awaitWorkers(checkouts, 4)
	s.awaitConditions(checkouts, ready()...)
	s.expectSamePods(before)
}

// expectSamePods fails the test if checkouts has a pod that is not in the list.
func (s *suite) expectSamePods(before []corev1.Pod) {
	s.Helper()
	after, err := s.pods(checkouts)
	if err != nil {
		s.Fatal(err)
	}
	for _, pod := range after {
		if !slices.ContainsFunc(before, func(p corev1.Pod) bool { return p.UID == pod.UID }) {
			s.Errorf("pod %s is new, but the workers should have outlived the operator", pod.Name)
		}
	}
}

// restartBroker stops the broker for longer than the operator needs to notice. The operator
// must not scale or delete anything.
func restartBroker(s *suite, broker *kafkatest.Broker) {
	broker.Stop()
	s.awaitConditions(checkouts, condition{kind: "KafkaReachable", status: metav1.ConditionFalse, reason: "KafkaUnreachable"})
	s.held("while the broker is away", 10*time.Second, func() error {
		d, err := s.deployment(checkouts)
		if err == nil && *d.Spec.Replicas != 5 {
			err = fmt.Errorf("the Deployment was scaled to %d", *d.Spec.Replicas)
		}
		return err
	})
	broker.Start()
	s.awaitConditions(checkouts, ready()...)
	s.awaitWorkers(checkouts, 5)
}

// pod returns the name of one of the pods.
func (s *suite) pod(name string) string {
	s.Helper()
	pods, err := s.pods(name)
	if err != nil || len(pods) == 0 {
		s.Fatalf("%s has no pods (%v)", name, err)
	}
	return pods[0].Name
}

// kill kills a pod's first container with SIGKILL.
func (s *suite) kill(namespace, pod string) {
	s.Helper()
	if err := syscall.Kill(s.pid(namespace, pod), syscall.SIGKILL); err != nil {
		s.Fatalf("kill pod %s: %v", pod, err)
	}
}

// awaitRestart waits until a pod's first container has been started again.
func (s *suite) awaitRestart(namespace, pod string) {
	s.Helper()
	s.await("the container's restart", patience, func() error {
		count := s.kubectl("get", "pod", pod, "--namespace", namespace, "-o", "jsonpath={.status.containerStatuses[0].restartCount}")
		if count == "0" {
			return errors.New("it has not been restarted")
		}
		return nil
	})
}

// operatorPod returns the name of the operator's pod.
func (s *suite) operatorPod() string {
	s.Helper()
	return s.kubectl("get", "pods", "--namespace", system, "--selector", "app.kubernetes.io/name="+operator,
		"-o", "jsonpath={.items[0].metadata.name}")
}

// pid returns the process ID of a pod's first container.
func (s *suite) pid(namespace, pod string) int {
	s.Helper()
	id := s.kubectl("get", "pod", pod, "--namespace", namespace, "-o", "jsonpath={.status.containerStatuses[0].containerID}")
	pid, err := s.cluster.Pid(s.Context(), id)
	if err != nil {
		s.Fatalf("find the process of pod %s: %v", pod, err)
	}
	return pid
}
