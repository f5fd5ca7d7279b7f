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

// clientID names this program to the broker. The worker's clients have another one.
const clientID = "millrace-run"

// cluster is a Kafka cluster that a run uses.
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

// offsets returns the offset that at names for each partition of a topic.
func (c *cluster) offsets(ctx context.Context, topic string, at kafka.OffsetSpec, isolation config.IsolationLevel) (map[int32]int64, error) {
	count, err := c.client.AwaitPartitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	partitions := make([]int32, count)
	for i := range partitions {
		partitions[i] = int32(i)
	}
	return c.client.ListOffsets(ctx, topic, partitions, at, isolation)
}

// kgoOptions returns the options with which franz-go reaches the cluster. It feeds and
// collects files, because the worker's client can only do what a worker needs.
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

// where describes the cluster with its address.
func (c *cluster) where() string {
	addresses := strings.Join(c.kafka.BootstrapServers, ",")
	if c.embedded != nil {
		return "the embedded broker at " + addresses
	}
	return addresses
}

// String describes the cluster for the summary.
func (c *cluster) String() string {
	if c.embedded != nil {
		return "the embedded broker"
	}
	return strings.Join(c.kafka.BootstrapServers, ",")
}

// Close closes the connections. An embedded broker ends, and its records with it.
func (c *cluster) Close() {
	if c.client != nil {
		c.client.Close()
	}
	if c.embedded != nil {
		c.embedded.Close()
	}
}
