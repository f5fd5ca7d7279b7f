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

// openClusters connects to the clusters of cfg, with the given brokers for the
// input's. Without brokers it starts embedded ones instead.
func openClusters(ctx context.Context, cfg config.Config, brokers []string, log logr.Logger) (c clusters, err error) {
	if len(brokers) > 0 {
		c = realClusters(cfg, brokers)
	} else if c, err = embeddedClusters(cfg); err != nil {
		c.Close()
		return clusters{}, err
	}
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
	err = c.input.connect(ctx, topics, log)
	if err == nil && c.apart() {
		if err = c.output.connect(ctx, output, log); err != nil {
			err = fmt.Errorf("the output's cluster (output.kafka): %w", err)
		}
	}
	if err != nil {
		c.Close()
		return clusters{}, err
	}
	return c, nil
}

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
func embeddedClusters(cfg config.Config) (c clusters, err error) {
	topics, output := embeddedTopics(cfg)
	if c.input, err = embeddedCluster(topics); err != nil {
		return c, err
	}
	c.output = c.input
	if cfg.OutputElsewhere() {
		c.output, err = embeddedCluster(output)
	}
	return c, err
}

func embeddedCluster(topics map[string]int32) (*cluster, error) {
	broker, err := startBroker(topics)
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

// prepareTopics makes sure that the input and the output topic exist, because the
// command uses them before the worker does. It creates the output topic if the
// manifest says so, and the input topic if the command feeds it from a file.
func (c *clusters) prepareTopics(ctx context.Context, cfg config.Config, feed bool) error {
	if c.input.embedded != nil {
		return nil
	}
	_, err := c.input.client.Partitions(ctx, cfg.Input.Topic)
	if errors.Is(err, kafka.ErrTopicNotFound) && feed {
		err = c.input.client.CreateTopic(ctx, cfg.Input.Topic, wantedPartitions(cfg), 0)
	}
	if err != nil {
		return fmt.Errorf("input topic: %w", err)
	}
	if cfg.Output.Topic == "" {
		return nil
	}
	if create := cfg.Output.Create; create != nil {
		err = c.output.client.CreateTopic(ctx, cfg.Output.Topic, create.Partitions, create.ReplicationFactor)
	} else {
		_, err = c.output.client.Partitions(ctx, cfg.Output.Topic)
	}
	if err != nil {
		return fmt.Errorf("output topic: %w", err)
	}
	return nil
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
