package cluster

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"strings"
)

const (
	etcdURL   = "http://127.0.0.1:2379"
	serverURL = "https://" + NodeAddress + ":6443"
)

// clients are the users that get a kubeconfig, each with its group. The built-in roles of
// Kubernetes are bound to these names.
var clients = map[string][2]string{
	"admin":                   {"admin", "system:masters"},
	"kubelet":                 {"system:node:" + nodeName, "system:nodes"},
	"kube-proxy":              {"system:kube-proxy"},
	"kube-scheduler":          {"system:kube-scheduler"},
	"kube-controller-manager": {"system:kube-controller-manager"},
	"coredns":                 {"coredns", "system:masters"},
}

const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
`

func (c *Cluster) startControlPlane(ctx context.Context) error {
	if err := c.writeCredentials(); err != nil {
		return err
	}
	if err := c.startEtcd(ctx); err != nil {
		return err
	}
	if err := c.startAPIServer(ctx); err != nil {
		return err
	}
	if err := c.start("kube-controller-manager", c.program("kube-controller-manager"),
		"--kubeconfig="+c.kubeconfig("kube-controller-manager"),
		"--use-service-account-credentials",
		"--service-account-private-key-file="+c.keys.keyFile("service-accounts"),
		"--root-ca-file="+c.keys.certFile("ca"),
		"--bind-address=127.0.0.1", "--leader-elect=false"); err != nil {
		return err
	}
	return c.start("kube-scheduler", c.program("kube-scheduler"),
		"--kubeconfig="+c.kubeconfig("kube-scheduler"),
		"--bind-address=127.0.0.1", "--leader-elect=false")
}

func (c *Cluster) writeCredentials() error {
	if err := c.keys.server("apiserver", serviceAddress, NodeAddress, "127.0.0.1"); err != nil {
		return err
	}
	for name, who := range clients {
		if err := c.keys.client(name, who[0], who[1]); err != nil {
			return err
		}
		if err := os.WriteFile(c.kubeconfig(name), []byte(c.kubeconfigText(name)), 0o600); err != nil {
			return fmt.Errorf("write a kubeconfig: %w", err)
		}
	}
	return nil
}

func (c *Cluster) kubeconfig(name string) string { return c.path(name + ".kubeconfig") }

func (c *Cluster) kubeconfigText(name string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: test
contexts: [{name: test, context: {cluster: test, user: %s}}]
clusters: [{name: test, cluster: {server: %q, certificate-authority: %q}}]
users: [{name: %s, user: {client-certificate: %q, client-key: %q}}]
`, name, serverURL, c.keys.certFile("ca"), name, c.keys.certFile(name), c.keys.keyFile(name))
}

func (c *Cluster) startEtcd(ctx context.Context) error {
	// The data need not survive a crash.
	if err := c.start("etcd", c.program("etcd"), "--data-dir="+c.path("etcd"), "--unsafe-no-fsync",
		"--listen-client-urls="+etcdURL, "--advertise-client-urls="+etcdURL,
		"--listen-peer-urls=http://127.0.0.1:2380", "--log-level=warn"); err != nil {
		return err
	}
	return c.await(ctx, "etcd", func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, etcdURL+"/health", nil)
		if err != nil {
			return fmt.Errorf("ask etcd: %w", err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return fmt.Errorf("ask etcd: %w", err)
		}
		defer func() { _ = response.Body.Close() }()
		if response.StatusCode != http.StatusOK {
			return fmt.Errorf("etcd answers %s", response.Status)
		}
		return nil
	})
}

func (c *Cluster) startAPIServer(ctx context.Context) error {
	policy := c.path("audit-policy.yaml")
	if err := os.WriteFile(policy, []byte(auditPolicy), 0o600); err != nil {
		return fmt.Errorf("write the audit policy: %w", err)
	}
	if err := c.start("kube-apiserver", c.program("kube-apiserver"),
		"--etcd-servers="+etcdURL, "--secure-port=6443",
		"--advertise-address="+NodeAddress, "--endpoint-reconciler-type=lease",
		"--service-cluster-ip-range="+serviceRange,
		"--authorization-mode=Node,RBAC", "--allow-privileged",
		"--client-ca-file="+c.keys.certFile("ca"),
		"--tls-cert-file="+c.keys.certFile("apiserver"), "--tls-private-key-file="+c.keys.keyFile("apiserver"),
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file="+c.keys.certFile("service-accounts"),
		"--service-account-signing-key-file="+c.keys.keyFile("service-accounts"),
		// The kubelet treats this user as an administrator, for logs and exec.
		"--kubelet-client-certificate="+c.keys.certFile("admin"), "--kubelet-client-key="+c.keys.keyFile("admin"),
		"--kubelet-preferred-address-types=InternalIP",
		"--audit-policy-file="+policy, "--audit-log-path="+c.AuditLog(), "--audit-log-mode=blocking",
	); err != nil {
		return err
	}
	return c.await(ctx, "the API server", func(ctx context.Context) error {
		return c.kubectl(ctx, "get", "--raw=/readyz")
	})
}

func (c *Cluster) kubectl(ctx context.Context, args ...string) error {
	args = append([]string{"--kubeconfig=" + c.Kubeconfig()}, args...)
	return run(ctx, c.program("kubectl"), args...)
}

// run runs a program to its end. An error contains the program's output.
func run(ctx context.Context, path string, args ...string) error {
	out, err := exec.CommandContext(ctx, path, args...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("%s: %w: %s", path, err, strings.TrimSpace(string(out)))
	}
	return nil
}
