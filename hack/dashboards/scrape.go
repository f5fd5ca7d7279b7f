package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// openPrometheus starts a Prometheus. The operator and the workers get the labels that the
// monitors of the chart give them in a cluster.
func (s *stage) openPrometheus(ctx context.Context) error {
	var config strings.Builder
	fmt.Fprintf(&config, `global: {scrape_interval: %s, scrape_timeout: %[1]s}
scrape_configs:
- job_name: millrace-operator
  honor_labels: true
  static_configs:
  - targets: [%q]
- job_name: workers
  static_configs:
`, scrapeInterval, s.operator)
	for _, w := range workers {
		fmt.Fprintf(&config, "  - targets: [%q]\n    labels: {job: %s/%s-worker, namespace: %s, pod: %s}\n",
			s.ports[w.pod], namespace, w.processor, namespace, w.pod)
	}
	path := filepath.Join(s.dir, "prometheus.yml")
	if err := os.WriteFile(path, []byte(config.String()), 0o600); err != nil {
		return err
	}
	address, err := unusedAddress()
	if err != nil {
		return err
	}
	s.prometheus = &prometheus{address: address}
	cmd := exec.Command("bin/prometheus", "--config.file="+path, "--storage.tsdb.path="+filepath.Join(s.dir, "data"),
		"--web.listen-address="+address, "--log.level=warn")
	if err := s.start(cmd, "prometheus"); err != nil {
		return err
	}
	return answers(ctx, "http://"+address+"/-/ready")
}
