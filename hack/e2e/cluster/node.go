package cluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// PauseImage is the name of the image whose container holds the namespaces of a pod.
const PauseImage = "docker.io/local/pause:1"

// cniBinaries is the directory of the network plugins on Debian.
const cniBinaries = "/usr/lib/cni"

// startNode starts the programs of the node.
func (c *Cluster) startNode(ctx context.Context) error {
	files := map[string]string{
		"containerd.toml":         c.containerdConfig(),
		"cni/10-bridge.json":      c.cniConfig(),
		"kubelet.yaml":            c.kubeletConfig(),
		"kube-proxy.yaml":         c.kubeProxyConfig(),
		"kubelet/.keep":           "",
		"kubelet/pki/.keep":       "",
		"kubelet/plugins.d/.keep": "",
	}
	for name, content := range files {
		if err := os.MkdirAll(filepath.Dir(c.path(name)), 0o755); err != nil {
			return fmt.Errorf("make a directory of the node: %w", err)
		}
		if err := os.WriteFile(c.path(name), []byte(content), 0o600); err != nil {
			return fmt.Errorf("write a configuration of the node: %w", err)
		}
	}
	if err := c.start("containerd", "containerd", "--config="+c.path("containerd.toml")); err != nil {
		return err
	}
	if err := c.await(ctx, "containerd", func(ctx context.Context) error { return c.ctr(ctx, "version") }); err != nil {
		return err
	}
	if err := c.ImportImage(ctx, c.Pause); err != nil {
		return err
	}
	if err := c.start("kube-proxy", c.program("kube-proxy"), "--config="+c.path("kube-proxy.yaml")); err != nil {
		return err
	}
	return c.start("kubelet", c.program("kubelet"), "--config="+c.path("kubelet.yaml"),
		"--kubeconfig="+c.kubeconfig("kubelet"), "--root-dir="+c.path("kubelet"), "--cert-dir="+c.path("kubelet", "pki"),
		"--hostname-override="+nodeName, "--node-ip="+NodeAddress)
}

// ImportImage imports the image of an OCI or docker archive on the node.
func (c *Cluster) ImportImage(ctx context.Context, archive string) error {
	return c.ctr(ctx, "--namespace=k8s.io", "images", "import", archive)
}

func (c *Cluster) ctr(ctx context.Context, args ...string) error {
	return run(ctx, "ctr", append([]string{"--address=" + c.containerdSocket()}, args...)...)
}

func (c *Cluster) containerdSocket() string { return c.path("containerd.sock") }

func (c *Cluster) containerdConfig() string {
	const cri = `plugins."io.containerd.grpc.v1.cri"`
	return fmt.Sprintf(`version = 2
root = %q
state = %q
[grpc]
  address = %q
[%s]
  sandbox_image = %q
  # Lowering a score needs a capability that this process may lack.
  restrict_oom_score_adj = true
[%s.cni]
  bin_dir = %q
  conf_dir = %q
[%s.containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"
`, c.path("containerd"), c.path("containerd-state"), c.containerdSocket(),
		cri, PauseImage, cri, cniBinaries, c.path("cni"), cri)
}

func (c *Cluster) cniConfig() string {
	return fmt.Sprintf(`{
  "cniVersion": "0.4.0", "name": "pods", "type": "bridge", "bridge": "pods0",
  "isGateway": true, "ipMasq": true, "hairpinMode": true,
  "ipam": {
    "type": "host-local", "dataDir": %q,
    "ranges": [[{"subnet": %q}]], "routes": [{"dst": "0.0.0.0/0"}]
  }
}
`, c.path("cni-addresses"), podRange)
}

// kubeletConfig puts the pods into the control group of the test, does not evict pods when the
// disk is full, and polls more often than a node in production.
func (c *Cluster) kubeletConfig() string {
	return fmt.Sprintf(`apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
containerRuntimeEndpoint: unix://%s
cgroupDriver: cgroupfs
cgroupRoot: /%s
failCgroupV1: false
failSwapOn: false
localStorageCapacityIsolation: false
evictionHard: {memory.available: 50Mi, nodefs.available: 1%%, imagefs.available: 1%%, nodefs.inodesFree: 1%%}
imageGCHighThresholdPercent: 100
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: %q}}
authorization: {mode: Webhook}
volumePluginDir: %q
clusterDNS: [%s]
clusterDomain: %s
syncFrequency: 10s
configMapAndSecretChangeDetectionStrategy: Watch
`, c.containerdSocket(), filepath.Base(c.State), c.keys.certFile("ca"), c.path("kubelet", "plugins.d"), NodeAddress, clusterDomain)
}

// kubeProxyConfig masquerades all connections to Services. Otherwise the answers between pods
// on the bridge would bypass the translation of addresses.
func (c *Cluster) kubeProxyConfig() string {
	return fmt.Sprintf(`apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
clientConnection: {kubeconfig: %q}
mode: iptables
iptables: {masqueradeAll: true}
conntrack: {maxPerCore: 0, min: 0}
hostnameOverride: %s
clusterCIDR: %s
`, c.kubeconfig("kube-proxy"), nodeName, podRange)
}

// Pid returns the process ID of a container. The container's ID is that of a pod's status:
// containerd://ID.
func (c *Cluster) Pid(ctx context.Context, containerID string) (int, error) {
	id := strings.TrimPrefix(containerID, "containerd://")
	out, err := exec.CommandContext(ctx, "ctr", "--address="+c.containerdSocket(), "--namespace=k8s.io", "tasks", "list").Output()
	if err != nil {
		return 0, fmt.Errorf("list the node's containers: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == id {
			return strconv.Atoi(fields[1])
		}
	}
	return 0, fmt.Errorf("container %s is not running", containerID)
}
