package main

import (
	"context"
	"strings"

	"github.com/go-logr/logr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// clientID names this program to the broker; the worker has its own.
const clientID = "millrace-run"

// cluster is a Kafka cluster that a run works on.
type cluster struct {
	kafka    config.Kafka
	embedded *kfake.Cluster // nil for a real cluster
	access   kafka.ClientConfig
	client   *kafka.Client
}

func (c *cluster) connect(ctx context.Context, topics []string, log logr.Logger) (err error) {
	if c.access, err = kafka.ConfigFrom(c.kafka, clientID, topics...); err != nil {
		return err
	}
	c.access.Logger = log
	if c.client, err = kafka.NewClient(c.access); err != nil {
		return err
	}
	return c.client.Ping(ctx)
}

// offsets returns an offset of each partition of a topic.
func (c *cluster) offsets(ctx context.Context, topic string, at kafka.OffsetSpec, isolation config.IsolationLevel) (map[int32]int64, error) {
	count, err := c.client.Partitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	partitions := make([]int32, count)
	for i := range partitions {
		partitions[i] = int32(i)
	}
	return c.client.ListOffsets(ctx, topic, partitions, at, isolation)
}

// kgoOptions are what franz-go needs to reach the cluster; it feeds and
// collects files, while the worker's own client is made for the worker.
func (c *cluster) kgoOptions() []kgo.Opt {
	opts := []kgo.Opt{kgo.SeedBrokers(c.access.BootstrapServers...), kgo.ClientID(clientID)}
	if c.access.TLS != nil {
		opts = append(opts, kgo.DialTLSConfig(c.access.TLS))
	}
	if c.access.SASL != nil {
		opts = append(opts, kgo.SASL(borrowed{c.access.SASL.Mechanism, c.client}))
	}
	return opts
}

// String says where the records are, for the summary.
func (c *cluster) String() string {
	if c.embedded != nil {
		return "the embedded broker"
	}
	return strings.Join(c.kafka.BootstrapServers, ",")
}

// Close lets go of the cluster; an embedded one ends with all its records.
func (c *cluster) Close() {
	if c.client != nil {
		c.client.Close()
	}
	if c.embedded != nil {
		c.embedded.Close()
	}
}
