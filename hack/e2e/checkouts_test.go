//go:build e2e

package e2e

import (
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/hack/e2e/cluster"
)

// checkouts is the StreamProcessor of most steps, with its topics.
const (
	checkouts    = "checkouts"
	checkoutsIn  = "checkouts"
	checkoutsOut = "checkouts-copy"
)

// manifest returns a StreamProcessor that copies NAME to NAME-copy. spec holds further lines of
// its spec, indented by two.
func manifest(name, spec string) string {
	return fmt.Sprintf(`apiVersion: millrace.dev/v1alpha1
kind: StreamProcessor
metadata:
  name: %[1]s
spec:
  kafka: {bootstrapServers: ["%[2]s:9092"]}
  input: {topic: %[1]s, startOffset: Earliest}
  output: {topic: %[1]s-copy}
  processor: {cel: {}}
  drainTimeout: 10s
  template:
    spec:
      containers:
      - name: worker
        resources: {requests: {cpu: 20m, memory: 64Mi}, limits: {memory: 256Mi}}
%[3]s`, name, cluster.NodeAddress, spec)
}

// topicMissing creates the StreamProcessor before its topics.
func topicMissing(s *suite) {
	s.apply(manifest(checkouts, ""))
	s.awaitConditions(checkouts, condition{kind: "Ready", status: metav1.ConditionFalse, reason: "TopicNotFound", words: []string{checkoutsIn}})
	if pods, err := s.pods(checkouts); err != nil || len(pods) > 0 {
		s.Errorf("without its topic there are %d pods (%v)", len(pods), err)
	}
	s.kafka.CreateTopic(checkoutsIn, 3, nil)
	s.kafka.CreateTopic(checkoutsOut, 6, nil)
	s.awaitConditions(checkouts, ready()...)
	s.kubectl("wait", "--for=condition=Ready", "sp/"+checkouts, "--timeout=10s")
	s.awaitWorkers(checkouts, 1)
}

func scaleBeyondPartitions(s *suite) {
	s.kubectl("scale", "sp/"+checkouts, "--replicas=5")
	s.awaitConditions(checkouts, condition{kind: "PartitionCapped", status: metav1.ConditionTrue, words: []string{"5", "3"}})
	s.awaitWorkers(checkouts, 3)
	s.awaitConditions(checkouts, ready()...)
	s.keep("get-sp.txt", s.kubectl("get", "sp"))
	s.keep("get-sp-wide.txt", s.kubectl("get", "sp", "-o", "wide"))
	s.keep("describe-sp.txt", s.kubectl("describe", "sp", checkouts))
}

func growTopic(s *suite) {
	s.grow(checkoutsIn, 6)
	s.awaitConditions(checkouts, condition{kind: "PartitionCapped", status: metav1.ConditionFalse})
	s.awaitWorkers(checkouts, 5)
	s.awaitConditions(checkouts, ready()...)
}

// rollOut changes the configuration. During the rollout there must not be more pods than
// partitions, or fewer ready pods than spec.replicas.
func rollOut(s *suite) {
	before, err := s.deployment(checkouts)
	if err != nil {
		s.Fatal(err)
	}
	const hash = "millrace.dev/config"
	s.patch(checkouts, `{"spec": {"concurrency": 3}}`)
	s.await("the new configuration in all pods", patience, func() error {
		now, err := s.deployment(checkouts)
		if err != nil {
			return err
		}
		s.checkRollout(6, 5)
		if now.Spec.Template.Labels[hash] == before.Spec.Template.Labels[hash] {
			return errors.New("the pods' template is the old one")
		}
		if now.Status.ObservedGeneration != now.Generation || now.Status.UpdatedReplicas != 5 || now.Status.Replicas != 5 {
			return fmt.Errorf("%d of %d pods are new", now.Status.UpdatedReplicas, now.Status.Replicas)
		}
		return nil
	})
	s.awaitWorkers(checkouts, 5)
	s.awaitConditions(checkouts, ready()...)
}

// checkRollout fails the test if there are more pods than partitions, not counting those that
// terminate, or fewer ready pods than spec.replicas.
func (s *suite) checkRollout(partitions, replicas int) {
	s.Helper()
	pods, err := s.pods(checkouts)
	if err != nil {
		s.Fatal(err)
	}
	there, able := 0, 0
	for _, pod := range pods {
		if pod.DeletionTimestamp != nil {
			continue
		}
		there++
		for _, c := range pod.Status.Conditions {
			if c.Type == corev1.PodReady && c.Status == corev1.ConditionTrue {
				able++
			}
		}
	}
	if there > partitions || able < replicas {
		s.Fatalf("during the rollout there are %d pods, %d of them ready", there, able)
	}
}

func deletePod(s *suite) {
	s.kubectl("delete", "pod", s.pod(checkouts))
	s.awaitWorkers(checkouts, 5)
	s.awaitConditions(checkouts, ready()...)
}

func suspendAndResume(s *suite) {
	s.patch(checkouts, `{"spec": {"suspend": true}}`)
	s.awaitConditions(checkouts,
		condition{kind: "Suspended", status: metav1.ConditionTrue},
		condition{kind: "Ready", status: metav1.ConditionTrue, reason: "Suspended"})
	s.awaitWorkers(checkouts, 0)
	offsets := s.kafka.GroupOffsets(group(checkouts))[checkoutsIn]
	if len(offsets) != 6 {
		s.Errorf("the group has offsets in %d of 6 partitions", len(offsets))
	}
	s.patch(checkouts, `{"spec": {"suspend": false}}`)
	s.awaitConditions(checkouts, append(ready(), condition{kind: "Suspended", status: metav1.ConditionFalse})...)
	s.awaitWorkers(checkouts, 5)
}

// deleteProcessors deletes all StreamProcessors. Their objects have to disappear; a group has
// to stay unless its StreamProcessor has deletionPolicy DeleteGroup.
func deleteProcessors(s *suite) {
	const thorough = "copy"
	s.patch(thorough, `{"spec": {"deletionPolicy": "DeleteGroup"}}`)
	s.await("the finalizer, from when on the policy holds", patience, func() error {
		sp, err := s.processor(thorough)
		if err == nil && len(sp.Finalizers) == 0 {
			err = errors.New("there is none")
		}
		return err
	})
	s.kubectl("delete", "sp", "--all", "--timeout=90s")
	s.await("nothing left", patience, func() error {
		left := s.kubectl("get", "deployments,pods,configmaps,serviceaccounts,services,poddisruptionbudgets",
			"--selector", "app.kubernetes.io/managed-by="+operator, "-o", "name")
		if left != "" {
			return fmt.Errorf("there are still %s", left)
		}
		return nil
	})
	if len(s.kafka.GroupOffsets(group(checkouts))[checkoutsIn]) == 0 {
		s.Error("the group of a StreamProcessor with KeepGroup is gone")
	}
	if len(s.kafka.GroupOffsets(group(thorough))) > 0 {
		s.Error("the group of a StreamProcessor with DeleteGroup still exists")
	}
}

// mistake gives a running StreamProcessor an expression that can't be compiled. Its pods continue
// unchanged until the next valid change.
func mistake(s *suite) {
	before, err := s.pods(checkouts)
	if err != nil {
		s.Fatal(err)
	}
	s.patch(checkouts, `{"spec": {"processor": {"cel": {"filter": "json.total >"}}}}`)
	s.awaitConditions(checkouts, condition{
		kind: "Stalled", status: metav1.ConditionTrue, reason: "InvalidSpec", words: []string{"spec.processor.cel.filter:1:13", "the expression ends too early"},
	})
	s.keep("mistake.txt", s.kubectl("get", "sp", checkouts, "-o", `jsonpath={.status.conditions[?(@.type=="Stalled")].message}`))
	s.patch(checkouts, `{"spec": {"processor": {"cel": {"filter": null}}}}`)
	s.awaitConditions(checkouts, ready()...)
	s.expectSamePods(before)
}

// patch applies a merge patch to a StreamProcessor.
func (s *suite) patch(name, patch string) {
	s.Helper()
	s.kubectl("patch", "sp", name, "--type=merge", "--patch", patch)
}
