//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"strings"

	"github.com/millrace-dev/millrace/hack/e2e/cluster"
)

// overlaidManifest adds labels, a priority, a variable and a sidecar to the pods.
func overlaidManifest(name string) string {
	return fmt.Sprintf(`apiVersion: millrace.dev/v1alpha1
kind: StreamProcessor
metadata:
  name: %[1]s
spec:
  kafka: {bootstrapServers: ["%[2]s:9092"]}
  input: {topic: %[1]s, startOffset: Earliest}
  output: {topic: %[1]s-copy}
  processor: {cel: {}}
  deployment: {labels: {team: orders}}
  template:
    metadata: {labels: {team: orders}}
    spec:
      priorityClassName: e2e
      initContainers:
      - {name: sidecar, image: "%[3]s", restartPolicy: Always}
      containers:
      - name: worker
        env: [{name: SHIFT, value: night}]
        resources: {requests: {cpu: 20m, memory: 64Mi}, limits: {memory: 256Mi}}
`, name, cluster.NodeAddress, cluster.PauseImage)
}

// podOverlay runs pods with a template in a namespace that enforces the restricted pod security
// standard.
func podOverlay(s *suite) {
	receipts := copier{"strict", "receipts"}
	s.kubectl("create", "namespace", receipts.namespace)
	s.kubectl("label", "namespace", receipts.namespace, "pod-security.kubernetes.io/enforce=restricted")
	s.kubectl("create", "priorityclass", "e2e", "--value=1000")
	receipts.run(s, overlaidManifest(receipts.name))

	pods, err := receipts.pods(s)
	if err != nil || len(pods) != 1 {
		s.Fatalf("there are %d pods (%v)", len(pods), err)
	}
	pod := &pods[0]
	if pod.Labels["team"] != "orders" || pod.Spec.PriorityClassName != "e2e" || *pod.Spec.Priority != 1000 {
		s.Errorf("the pod has the labels %v, the priority class %q", pod.Labels, pod.Spec.PriorityClassName)
	}
	sidecars := pod.Status.InitContainerStatuses
	if len(sidecars) != 1 || sidecars[0].Name != "sidecar" || !sidecars[0].Ready {
		s.Errorf("the sidecar does not run: %+v", sidecars)
	}
	environment, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", s.pid(receipts.namespace, pod.Name)))
	if err != nil || !strings.Contains("\x00"+string(environment), "\x00SHIFT=night\x00") {
		s.Errorf("the worker's environment is %q (%v)", environment, err)
	}
	if team := s.kubectl("get", "deployment", receipts.name+"-worker", "--namespace", receipts.namespace,
		"-o", "jsonpath={.metadata.labels.team}"); team != "orders" {
		s.Errorf("the Deployment's label team is %q", team)
	}
	s.kubectl("delete", "namespace", receipts.namespace, "--wait=false")
}
