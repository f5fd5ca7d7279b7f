//go:build e2e

package e2e

import (
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// quota allows a namespace one pod although spec.replicas is 2, and later two.
func quota(s *suite) {
	deliveries := copier{"small", "deliveries"}
	s.kubectl("create", "namespace", deliveries.namespace)
	s.kubectl("create", "quota", "pods", "--hard=pods=1", "--namespace", deliveries.namespace)
	s.kafka.CreateTopic(deliveries.name, 2, nil)
	s.kafka.CreateTopic(deliveries.name+"-copy", 2, nil)
	deliveries.apply(s, manifest(deliveries.name, "  replicas: 2\n"))
	said := []string{"pods can't be created", "exceeded quota: pods", "limited: pods=1"}
	s.awaitStreamProcessor(deliveries.namespace, deliveries.name,
		condition{kind: "Ready", status: metav1.ConditionFalse, reason: "PodsRefused", words: said},
		condition{kind: "Reconciling", status: metav1.ConditionTrue, reason: "PodsRefused", words: said},
		condition{kind: "Stalled", status: metav1.ConditionFalse})
	s.kubectl("patch", "quota", "pods", "--namespace", deliveries.namespace, "--patch", `{"spec": {"hard": {"pods": "2"}}}`)
	s.awaitStreamProcessor(deliveries.namespace, deliveries.name, ready()...)
	// While the namespace ends, the operator still writes to it; a later step counts writes.
	s.kubectl("delete", "namespace", deliveries.namespace, "--timeout=90s")
}

// noNewFiles is an admission policy that refuses new ConfigMaps of checkouts.
const noNewFiles = `apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicy
metadata: {name: no-new-files}
spec:
  matchConstraints:
    resourceRules:
    - {apiGroups: [""], apiVersions: [v1], resources: [configmaps], operations: [CREATE]}
  validations:
  - expression: "!object.metadata.name.startsWith('checkouts-worker')"
    message: no more files
---
apiVersion: admissionregistration.k8s.io/v1
kind: ValidatingAdmissionPolicyBinding
metadata: {name: no-new-files}
spec: {policyName: no-new-files, validationActions: [Deny]}
`

// refuseConfigMap makes the API server refuse the ConfigMap of a new configuration. The running
// pods have to stay, and their replacements have to use the same ConfigMap.
func refuseConfigMap(s *suite) {
	before, err := s.pods(checkouts)
	if err != nil {
		s.Fatal(err)
	}
	s.apply(noNewFiles)
	s.await("the policy to be in force", patience, func() error {
		_, err := s.try("", s.tool("kubectl"), "create", "configmap", "checkouts-worker-probe", "--dry-run=server")
		if err == nil {
			return errors.New("a ConfigMap is taken")
		}
		return nil
	})
	file := s.configFile()
	s.patch(checkouts, `{"spec": {"concurrency": 4}}`)
	s.awaitConditions(checkouts, condition{
		kind: "Reconciling", status: metav1.ConditionTrue, reason: "Refused", words: []string{"ConfigMap checkouts-worker", "no more files"},
	})
	s.expectSamePods(before)
	s.kubectl("delete", "pod", before[0].Name)
	s.awaitWorkers(checkouts, int32(len(before)))
	if now := s.configFile(); now != file {
		s.Errorf("the ConfigMap of the pods is %s, and was %s", now, file)
	}

	s.kubectl("delete", "validatingadmissionpolicybinding/no-new-files", "validatingadmissionpolicy/no-new-files")
	s.await("the new file", patience, func() error {
		if now := s.configFile(); now == file {
			return fmt.Errorf("the ConfigMap of the pods is still %s", now)
		}
		return nil
	})
	s.awaitConditions(checkouts, ready()...)
	s.awaitWorkers(checkouts, int32(len(before)))
}

// configFile returns the label of the Deployment's template with the hash of the pods' file.
func (s *suite) configFile() string {
	s.Helper()
	d, err := s.deployment(checkouts)
	if err != nil {
		s.Fatal(err)
	}
	return d.Spec.Template.Labels["millrace.dev/config"]
}
