package cluster

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
	"golang.org/x/sync/errgroup"
)

// Cluster is a running cluster. Its brokers are numbered from 0. Its methods may be called
// from any goroutine.
type Cluster struct {
	brokers    []*broker
	properties map[string]string
	client     *kgo.Client
	admin      *kadm.Client
}

// Start starts a cluster, and waits until all brokers and coordinators answer. The workers'
// user is permitted everything then. ctx bounds the start only.
func Start(ctx context.Context, cfg Config) (*Cluster, error) {
	c := &Cluster{}
	if err := c.layOut(cfg); err != nil {
		return nil, err
	}
	var err error
	if c.client, err = newClient(c.Direct()...); err != nil {
		return nil, err
	}
	c.admin = kadm.NewClient(c.client)
	if err := c.begin(ctx); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// newClient returns a client that soon leaves a broker that hangs, and asks another one.
func newClient(addrs ...string) (*kgo.Client, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(addrs...), kgo.RequestTimeoutOverhead(3*time.Second),
		kgo.DialTimeout(3*time.Second), kgo.MetadataMinAge(50*time.Millisecond), kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return nil, fmt.Errorf("make a client of brokers %s: %w", strings.Join(addrs, ", "), err)
	}
	return client, nil
}

// layOut chooses the brokers' addresses, and writes their configurations.
func (c *Cluster) layOut(cfg Config) error {
	addresses, err := freeAddresses(3 * size)
	if err != nil {
		return err
	}
	c.properties = map[string]string{}
	var voters []string
	for i := range size {
		b := &broker{
			id: i, dir: filepath.Join(cfg.Dir, fmt.Sprintf("broker-%d", i)), script: cfg.Script, options: cfg.JVMOptions,
			direct: addresses[3*i], workers: addresses[3*i+1], controller: addresses[3*i+2],
		}
		if b.options == "" {
			b.options = jvmOptions
		}
		b.advertised = b.workers
		if len(cfg.Advertised) > 0 {
			b.advertised = cfg.Advertised[i]
		}
		c.brokers = append(c.brokers, b)
		voters = append(voters, fmt.Sprintf("%d@%s", i, b.controller))
	}
	c.properties["controller.quorum.voters"] = strings.Join(voters, ",")
	for key, value := range cfg.Properties {
		c.properties[key] = value
	}
	for _, b := range c.brokers {
		if err := b.configure(c.properties); err != nil {
			return err
		}
	}
	return nil
}

// begin formats and starts the brokers, permits the workers' user everything, and makes the
// coordinators ready.
func (c *Cluster) begin(ctx context.Context) error {
	g, formatting := errgroup.WithContext(ctx)
	for _, b := range c.brokers {
		g.Go(func() error { return b.format(formatting) })
	}
	if err := g.Wait(); err != nil {
		return err
	}
	for _, b := range c.brokers {
		if err := b.launch(); err != nil {
			return err
		}
	}
	for _, b := range c.brokers {
		if err := b.awaitTakingPart(ctx); err != nil {
			return err
		}
	}
	if err := c.allowAll(ctx); err != nil {
		return err
	}
	if err := c.awaitCoordinators(ctx); err != nil {
		return err
	}
	return c.AwaitInSync(ctx)
}

// Close kills the brokers. Their directories stay.
func (c *Cluster) Close() {
	for b := range c.brokers {
		c.Kill(b)
	}
	c.client.Close()
}

// Brokers returns the number of brokers.
func (c *Cluster) Brokers() int { return size }

// Direct returns the bootstrap servers of the listener that nothing disturbs.
func (c *Cluster) Direct() []string {
	return c.addrs(func(b *broker) string { return b.direct })
}

// SubjectTargets returns where the brokers listen to the workers: what the proxies forward to.
func (c *Cluster) SubjectTargets() []string {
	return c.addrs(func(b *broker) string { return b.workers })
}

// SubjectAddrs returns the workers' bootstrap servers, which are the advertised ones.
func (c *Cluster) SubjectAddrs() []string {
	return c.addrs(func(b *broker) string { return b.advertised })
}

// User returns the name and password with which the workers log in, by SASL/PLAIN.
func (c *Cluster) User() (name, password string) { return userName, userPassword }

func (c *Cluster) addrs(of func(*broker) string) []string {
	var addrs []string
	for _, b := range c.brokers {
		addrs = append(addrs, of(b))
	}
	return addrs
}

// Client returns the driver's client, on the listener that nothing disturbs. It writes
// records to their Partition.
func (c *Cluster) Client() *kgo.Client { return c.client }

// Admin returns an administrator on the driver's client.
func (c *Cluster) Admin() *kadm.Client { return c.admin }
