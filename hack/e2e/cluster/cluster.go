package cluster

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

// NodeAddress is the address of the node and of the programs outside of pods.
const NodeAddress = "10.88.0.1"

const (
	nodeName       = "node1"
	serviceAddress = "10.96.0.1" // of the API server, for pods
	serviceRange   = "10.96.0.0/16"
	podRange       = "10.244.0.0/24"
)

// patience is how long a program may take to answer first.
const patience = 90 * time.Second

// Config holds the paths of a cluster's files.
type Config struct {
	// Binaries is the directory with the programs of Kubernetes and etcd.
	Binaries string
	// Pause is the archive of the image PauseImage, which holds the namespaces of pods.
	Pause string
	// State is a directory for the cluster's data. Its base name is that of the control
	// group for the pods.
	State string
	// Logs is a directory for the programs' logs.
	Logs string
}

// Cluster is a running cluster.
type Cluster struct {
	Config
	keys      *keys
	processes []*process
}

// Start starts a cluster and waits until its API server and its container runtime answer. The
// node becomes ready a little later.
func Start(ctx context.Context, config Config) (*Cluster, error) {
	c := &Cluster{Config: config}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	if err := os.MkdirAll(c.Logs, 0o755); err != nil {
		return nil, fmt.Errorf("make the directory for logs: %w", err)
	}
	var err error
	if c.keys, err = newKeys(c.path("keys")); err != nil {
		return nil, err
	}
	if err := c.startControlPlane(ctx); err != nil {
		return nil, err
	}
	if err := c.startDNS(ctx); err != nil {
		return nil, err
	}
	if err := c.startNode(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// Kubeconfig returns the path of an administrator's kubeconfig.
func (c *Cluster) Kubeconfig() string { return c.path("admin.kubeconfig") }

// AuditLog returns the path of the API server's audit log: a line of JSON for each request,
// without bodies.
func (c *Cluster) AuditLog() string { return filepath.Join(c.Logs, "audit.log") }

// Ended returns an error if one of the cluster's programs has ended.
func (c *Cluster) Ended() error {
	for _, p := range c.processes {
		if err := p.ended(); err != nil {
			return err
		}
	}
	return nil
}

func (c *Cluster) path(elements ...string) string {
	return filepath.Join(append([]string{c.State}, elements...)...)
}

func (c *Cluster) program(name string) string { return filepath.Join(c.Binaries, name) }

// start starts a program of the cluster.
func (c *Cluster) start(name, path string, args ...string) error {
	p, err := start(name, filepath.Join(c.Logs, name+".log"), path, args...)
	if err != nil {
		return err
	}
	c.processes = append(c.processes, p)
	return nil
}

// await waits until check succeeds.
func (c *Cluster) await(ctx context.Context, what string, check func(context.Context) error) error {
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := check(ctx)
		if err == nil {
			return nil
		}
		if err := c.Ended(); err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waited in vain for %s: %w", what, err)
		case <-tick.C:
		}
	}
}
