package main

import (
	"cmp"
	"fmt"
	"strconv"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/config"
)

// defaultPartitions is the number of partitions of the embedded broker's topics,
// unless the manifest sets one for the output topic.
const defaultPartitions = 8

// embedding says how embedded brokers take the place of the clusters of a manifest.
type embedding struct {
	// partitions is the number of the input topic's partitions; 0 is that of the output
	// topic.
	partitions int32
	// limit is the max.message.bytes of all topics; 0 is Kafka's default.
	limit int32
	// created is called when a broker creates a topic that a result names.
	created func(topic string)
}

// start starts an embedded broker with the given topics and their numbers of partitions.
func (e embedding) start(topics map[string]int32) (*kfake.Cluster, error) {
	broker, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		return nil, fmt.Errorf("start the embedded broker: %w", err)
	}
	for topic, partitions := range topics {
		if err := broker.CreateTopic(topic, partitions, e.configs()); err != nil {
			broker.Close()
			return nil, fmt.Errorf("create topic %q in the embedded broker: %w", topic, err)
		}
	}
	e.createNamed(broker)
	return broker, nil
}

// configs returns the configuration of the topics.
func (e embedding) configs() map[string]string {
	return map[string]string{
		"max.message.bytes": strconv.Itoa(int(cmp.Or(e.limit, defaultLimit))),
		"segment.bytes":     strconv.Itoa(segmentBytes),
	}
}

// createNamed makes the broker create each topic that somebody asks for, since results may
// name any topic.
func (e embedding) createNamed(broker *kfake.Cluster) {
	broker.ControlKey(int16(kmsg.Metadata), func(req kmsg.Request) (kmsg.Response, error, bool) {
		for _, t := range req.(*kmsg.MetadataRequest).Topics {
			if t.Topic == nil || broker.TopicInfo(*t.Topic) != nil {
				continue
			}
			// The broker's answer names the mistake in a name.
			if broker.CreateTopic(*t.Topic, defaultPartitions, e.configs()) == nil {
				e.created(*t.Topic)
			}
		}
		return nil, nil, false
	})
}

// topics returns the topics of the input's and of the output's cluster with their numbers
// of partitions. Both are the same map if results go to the input's cluster. By default
// the input topic has as many partitions as the output topic, so that records keep their
// partitions under the default partitioner.
func (e embedding) topics(cfg config.Config) (topics, output map[string]int32) {
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
	topics[cfg.Input.Topic] = cmp.Or(e.partitions, partitions)
	return topics, output
}

func wantedPartitions(cfg config.Config) int32 {
	if c := cfg.Output.Create; c != nil && c.Partitions > 0 {
		return c.Partitions
	}
	return defaultPartitions
}
