//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
)

// leaveArtifacts writes the objects of the cluster next to the programs' logs if the test has
// failed.
func (s *suite) leaveArtifacts() {
	if !s.Failed() {
		return
	}
	dir := filepath.Join(s.out, "artifacts")
	for file, args := range map[string][]string{
		"objects.yaml": {"get", "sp,deployments,replicasets,pods,configmaps,services,poddisruptionbudgets", "-A", "-o", "yaml"},
		"objects.txt":  {"get", "nodes,sp,all", "-A", "-o", "wide"},
		"events.txt":   {"get", "events", "-A", "--sort-by=.lastTimestamp"},
		"describe.txt": {"describe", "sp,pods", "-A"},
		"operator.log": {"logs", "-n", system, "deployment/" + operator, "--tail=-1"},
	} {
		out, err := s.try("", s.tool("kubectl"), args...)
		if err != nil {
			out += "\n" + err.Error()
		}
		if err := os.WriteFile(filepath.Join(dir, file), []byte(out), 0o644); err != nil {
			s.Logf("leave artifacts: %v", err)
		}
	}
	s.Logf("logs, events and objects are in bin/e2e/artifacts")
}
