package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// clusters holds the cluster of a run's input and that of its output. Both are the
// same unless results go elsewhere.
type clusters struct{ input, output *cluster }

// connect connects to the clusters of cfg. If it fails, it closes them.
func (c *clusters) connect(ctx context.Context, cfg config.Config, log logr.Logger) error {
	topics := []string{cfg.Input.Topic}
	if t := cfg.Failure.DeadLetter.Topic; t != "" {
		topics = append(topics, t)
	}
	var output []string
	if t := cfg.Output.Topic; t != "" {
		output = append(output, t)
	}
	if !c.apart() {
		topics = append(topics, output...)
	}
	err := c.input.connect(ctx, topics, log)
	if err == nil && c.apart() {
		if err = c.output.connect(ctx, output, log); err != nil {
			err = fmt.Errorf("the output's cluster (output.kafka): %w", err)
		}
	}
	if err != nil {
		c.Close()
		*c = clusters{}
	}
	return err
}

// realClusters returns the clusters of cfg, with the given brokers for the input's.
func realClusters(cfg config.Config, brokers []string) (c clusters) {
	c.input = &cluster{kafka: cfg.Kafka}
	c.input.kafka.BootstrapServers = brokers
	c.output = c.input
	if _, own := cfg.OutputKafka(); own {
		c.output = &cluster{kafka: *cfg.Output.Kafka}
		if !cfg.OutputElsewhere() {
			c.output.kafka.BootstrapServers = brokers
		}
	}
	return c
}

// embeddedClusters starts brokers in place of the clusters of cfg, without encryption
// and credentials.
func (e embedding) clusters(cfg config.Config) (c clusters, err error) {
	topics, output := e.topics(cfg)
	if c.input, err = e.cluster(topics); err != nil {
		return clusters{}, err
	}
	c.output = c.input
	if cfg.OutputElsewhere() {
		if c.output, err = e.cluster(output); err != nil {
			c.input.Close()
			return clusters{}, err
		}
	}
	return c, nil
}

func (e embedding) cluster(topics map[string]int32) (*cluster, error) {
	broker, err := e.start(topics)
	if err != nil {
		return nil, err
	}
	return &cluster{embedded: broker, kafka: config.Kafka{BootstrapServers: broker.ListenAddrs()}}, nil
}

// apart reports whether the output has another cluster than the input.
func (c *clusters) apart() bool { return c.output != c.input }

// configure makes cfg name the clusters.
func (c *clusters) configure(cfg *config.Config) {
	cfg.Kafka, cfg.Output.Kafka = c.input.kafka, nil
	if c.apart() {
		cfg.Output.Kafka = &c.output.kafka
	}
}

// prepareTopics makes sure that the topics exist, because the command uses them before the
// worker does. It creates the output and the dead-letter topic if the manifest says so,
// and the input topic if the command feeds it from a file.
func (c *clusters) prepareTopics(ctx context.Context, cfg config.Config, feed bool) error {
	if c.input.embedded != nil {
		return nil
	}
	look := c.input.client.AwaitPartitions
	if feed {
		look = c.input.client.Partitions // a missing topic is created
	}
	_, err := look(ctx, cfg.Input.Topic)
	if errors.Is(err, kafka.ErrTopicNotFound) && feed {
		err = c.input.client.CreateTopic(ctx, cfg.Input.Topic, wantedPartitions(cfg), 0)
	}
	if err != nil {
		return fmt.Errorf("input topic: %w", err)
	}
	if err := c.output.prepare(ctx, cfg.Output.Topic, cfg.Output.Create); err != nil {
		return fmt.Errorf("output topic: %w", err)
	}
	if err := c.input.prepare(ctx, cfg.Failure.DeadLetter.Topic, cfg.Failure.DeadLetter.Create); err != nil {
		return fmt.Errorf("dead-letter topic: %w", err)
	}
	return nil
}

// prepare makes sure that a topic exists; "" is none.
func (c *cluster) prepare(ctx context.Context, topic string, create *config.CreateTopic) error {
	if topic == "" {
		return nil
	}
	if create != nil {
		return c.client.CreateTopic(ctx, topic, create.Partitions, create.ReplicationFactor)
	}
	_, err := c.client.AwaitPartitions(ctx, topic)
	return err
}

// where describes the clusters with their addresses.
func (c *clusters) where() string {
	if !c.apart() {
		return c.input.where()
	}
	return c.input.where() + ", with the results on " + c.output.where()
}

// String describes the clusters for the summary.
func (c *clusters) String() string {
	switch {
	case !c.apart():
		return c.input.String()
	case c.input.embedded != nil:
		return "two embedded brokers"
	default:
		return fmt.Sprintf("%s, with the results on %s", c.input, c.output)
	}
}

// Close closes the connections. Embedded brokers end, and their records with them.
func (c *clusters) Close() {
	if c.output != nil && c.apart() {
		c.output.Close()
	}
	if c.input != nil {
		c.input.Close()
	}
}
