package main

import (
	"fmt"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/millrace-dev/millrace/worker/config"
)

// defaultPartitions is the number of partitions of the embedded broker's topics,
// unless the manifest sets one for the output topic.
const defaultPartitions = 8

// startBroker starts an embedded broker with the given topics and their numbers of
// partitions.
func startBroker(topics map[string]int32) (*kfake.Cluster, error) {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		return nil, fmt.Errorf("start the embedded broker: %w", err)
	}
	for topic, partitions := range topics {
		if err := broker.CreateTopic(topic, partitions, nil); err != nil {
			broker.Close()
			return nil, fmt.Errorf("create topic %q in the embedded broker: %w", topic, err)
		}
	}
	return broker, nil
}

// embeddedTopics returns the topics of the input's and of the output's cluster with
// their numbers of partitions. Both are the same map if results go to the input's
// cluster. The input topic has as many partitions as the output topic, so that records
// keep their partitions under the default partitioner.
func embeddedTopics(cfg config.Config) (topics, output map[string]int32) {
	partitions := wantedPartitions(cfg)
	topics = map[string]int32{}
	output = topics
	if cfg.OutputElsewhere() {
		output = map[string]int32{}
	}
	if t := cfg.Output.Topic; t != "" {
		output[t] = partitions
	}
	if t := cfg.Failure.DeadLetter.Topic; t != "" {
		topics[t] = 1
		if c := cfg.Failure.DeadLetter.Create; c != nil && c.Partitions > 0 {
			topics[t] = c.Partitions
		}
	}
	topics[cfg.Input.Topic] = partitions
	return topics, output
}

func wantedPartitions(cfg config.Config) int32 {
	if c := cfg.Output.Create; c != nil && c.Partitions > 0 {
		return c.Partitions
	}
	return defaultPartitions
}
