package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/go-logr/logr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sasl/plain"
	"github.com/twmb/franz-go/pkg/sasl/scram"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// clientID names this program to the broker; the worker has its own.
const clientID = "millrace-run"

// cluster is the Kafka cluster that a run works on.
type cluster struct {
	kafka    config.Kafka
	embedded *kfake.Cluster // nil for a real cluster
	access   kafka.ClientConfig
	client   *kafka.Client
}

// openCluster starts the embedded broker, or makes contact with the brokers of
// cfg if there are some.
func openCluster(ctx context.Context, cfg config.Config, brokers []string, log logr.Logger) (*cluster, error) {
	c := &cluster{kafka: cfg.Kafka}
	if len(brokers) > 0 {
		c.kafka.BootstrapServers = brokers
	} else {
		broker, err := startBroker(cfg)
		if err != nil {
			return nil, err
		}
		c.embedded, c.kafka = broker, config.Kafka{BootstrapServers: broker.ListenAddrs()}
	}
	topics := []string{cfg.Input.Topic, cfg.Output.Topic}
	if t := cfg.Failure.DeadLetter.Topic; t != "" {
		topics = append(topics, t)
	}
	if err := c.connect(ctx, topics, log); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
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

// prepareTopics makes sure that the topics are there that the run touches
// before the worker does. It creates what the manifest says to create, and the
// input topic if it is to be fed from a file.
func (c *cluster) prepareTopics(ctx context.Context, cfg config.Config, feed bool) error {
	if c.embedded != nil {
		return nil
	}
	_, err := c.client.Partitions(ctx, cfg.Input.Topic)
	if errors.Is(err, kafka.ErrTopicNotFound) && feed {
		err = c.client.CreateTopic(ctx, cfg.Input.Topic, wantedPartitions(cfg), 0)
	}
	if err != nil {
		return fmt.Errorf("input topic: %w", err)
	}
	if create := cfg.Output.Create; create != nil {
		err = c.client.CreateTopic(ctx, cfg.Output.Topic, create.Partitions, create.ReplicationFactor)
	} else {
		_, err = c.client.Partitions(ctx, cfg.Output.Topic)
	}
	if err != nil {
		return fmt.Errorf("output topic: %w", err)
	}
	return nil
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
	s := c.access.SASL
	if s == nil {
		return opts
	}
	scramAuth := scram.Auth{User: s.Username, Pass: s.Password}
	switch s.Mechanism {
	case "SCRAM-SHA-256":
		return append(opts, kgo.SASL(scramAuth.AsSha256Mechanism()))
	case "SCRAM-SHA-512":
		return append(opts, kgo.SASL(scramAuth.AsSha512Mechanism()))
	default:
		return append(opts, kgo.SASL(plain.Auth{User: s.Username, Pass: s.Password}.AsMechanism()))
	}
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
