package cluster

import (
	"context"
	"fmt"
	"net"
	"os"
)

// clusterDomain is the suffix of the names of Services.
const clusterDomain = "cluster.local"

// startDNS starts the DNS server of the pods as a program of the node, because as a pod it
// would need an image and a Service.
func (c *Cluster) startDNS(ctx context.Context) error {
	config := fmt.Sprintf(`%s.:53 {
    bind %s
    errors
    cache 2
    kubernetes {
        kubeconfig %s
    }
}
`, clusterDomain, NodeAddress, c.kubeconfig("coredns"))
	if err := os.WriteFile(c.path("Corefile"), []byte(config), 0o600); err != nil {
		return fmt.Errorf("write the configuration of the DNS: %w", err)
	}
	if err := c.start("coredns", c.program("coredns"), "-conf="+c.path("Corefile")); err != nil {
		return err
	}
	resolver := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, net.JoinHostPort(NodeAddress, "53"))
	}}
	return c.await(ctx, "the DNS", func(ctx context.Context) error {
		_, err := resolver.LookupHost(ctx, "kubernetes.default.svc."+clusterDomain+".")
		return err
	})
}
