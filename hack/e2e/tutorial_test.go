//go:build e2e

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/millrace-dev/millrace/hack/e2e/cluster"
	"github.com/millrace-dev/millrace/hack/pages/page"
)

// clusterPart is the heading with which the tutorial's part about a cluster begins.
const clusterPart = "\n## 8. "

// brokerEndpoints lead the page's Service, whose port has no name, to the node's broker.
const brokerEndpoints = `apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata:
  name: kafka
  labels: {kubernetes.io/service-name: kafka}
addressType: IPv4
endpoints: [{addresses: [` + cluster.NodeAddress + `]}]
ports: [{port: 9092, protocol: TCP}]
`

// tutorial runs the commands of the tutorial's part about a cluster, from the installation to
// the cleaning up, and compares their output with the page's.
func tutorial(s *suite) {
	content, err := os.ReadFile(filepath.Join(root, "docs", "tutorial.md"))
	if err != nil {
		s.Fatal(err)
	}
	before, after, found := strings.Cut(string(content), clusterPart)
	if !found {
		s.Fatalf("the tutorial has no heading %q", clusterPart)
	}
	clone := s.clone()
	s.save(clone, before)
	s.awaitNode()
	r := page.Runner{
		Directory: clone, Environment: s.tutorialEnvironment(),
		LeavesOut: s.prepared, Reads: reads, Patience: patience, Stops: true,
		Report: func(r page.Result) { s.Logf("$ %s%s", r.Command, r.Got) },
	}
	// The lines before count, so that an error has the page's line.
	if err := r.Run(s.Context(), strings.Repeat("\n", strings.Count(before+clusterPart, "\n"))+after); err != nil {
		s.Error(err)
	}
	s.kubectl("delete", "endpointslice", "kafka")
	for _, topic := range []string{"orders", "large-orders", "orders-dlq"} {
		s.kafka.DeleteTopic(topic) // the samples create some of them
	}
}

// clone returns a folder with those parts of the repository that the page's commands name.
func (s *suite) clone() string {
	s.Helper()
	clone := s.TempDir()
	repository, err := filepath.Abs(root)
	if err != nil {
		s.Fatal(err)
	}
	for _, part := range []string{"config", "docs"} {
		if err := os.Symlink(filepath.Join(repository, part), filepath.Join(clone, part)); err != nil {
			s.Fatal(err)
		}
	}
	return clone
}

// save writes the files that the page shows. A file that it shows twice is the later one.
func (s *suite) save(clone, text string) {
	s.Helper()
	directory := filepath.Join(clone, "bin", "tutorial")
	if err := os.MkdirAll(directory, 0o755); err != nil {
		s.Fatal(err)
	}
	for _, block := range page.Blocks(text) {
		if block.File == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(directory, block.File), []byte(block.Text), 0o644); err != nil {
			s.Fatal(err)
		}
	}
}

// tutorialEnvironment returns the variables of the page's commands: their kubectl is
// kubectl.sh.
func (s *suite) tutorialEnvironment() []string {
	s.Helper()
	repository, err := filepath.Abs(root)
	if err != nil {
		s.Fatal(err)
	}
	commands := s.TempDir()
	for name, target := range map[string]string{"kubectl": "hack/e2e/kubectl.sh", "helm": "bin/helm"} {
		if err := os.Symlink(filepath.Join(repository, target), filepath.Join(commands, name)); err != nil {
			s.Fatal(err)
		}
	}
	endpoints := filepath.Join(commands, "endpoints.yaml")
	if err := os.WriteFile(endpoints, []byte(brokerEndpoints), 0o644); err != nil {
		s.Fatal(err)
	}
	return append(s.command(s.Context(), "kubectl").Env,
		"PATH="+commands+":"+os.Getenv("PATH"),
		"MILLRACE_E2E_KUBECTL="+s.tool("kubectl"),
		"MILLRACE_E2E_BROKER="+cluster.NodeAddress+":9092",
		"MILLRACE_E2E_TOOLS="+setting(s.T, "MILLRACE_E2E_TOOLS"),
		"MILLRACE_E2E_ENDPOINTS="+endpoints,
	)
}

var kindLoads = regexp.MustCompile(`^kind load image-archive bin/images/([a-z]+)\.tar\n$`)

// prepared reports whether a step of the page has been done by other means: hack/e2e/run.sh
// has made the images, and the node gets them without kind. It fails the test if it knows
// neither the step nor how to run it.
func (s *suite) prepared(step *page.Step) bool {
	s.Helper()
	switch image := kindLoads.FindStringSubmatch(step.Command); {
	case step.Command == "make images\n":
		return true
	case image != nil:
		if err := s.cluster.ImportImage(s.Context(), filepath.Join(root, "bin", "images", image[1]+".tar")); err != nil {
			s.Error(err)
		}
		return true
	case !slices.Contains([]string{"kubectl", "helm"}, step.Program()):
		s.Errorf("line %d: this test does not know how to run $ %s", step.Line, step.Command)
		return true
	}
	return false
}

// reads reports whether a step only shows something, which may take a while to be as the page
// shows it.
func reads(step *page.Step) bool {
	return strings.HasPrefix(step.Command, "kubectl get ") || strings.HasPrefix(step.Command, "kubectl describe ")
}

// awaitNode waits until pods can run.
func (s *suite) awaitNode() {
	s.Helper()
	s.kubectl("wait", "--for=condition=Ready", "node", "--all", fmt.Sprint("--timeout=", patience))
}
