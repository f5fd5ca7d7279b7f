package cluster

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// pollInterval is how often the package looks at what it waits for.
const pollInterval = 50 * time.Millisecond

// until calls done until it returns nil, and returns its last error if ctx ends before.
func until(ctx context.Context, what string, done func(context.Context) error) error {
	for {
		err := done(ctx)
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("%s: %w", what, errors.Join(ctx.Err(), err))
		case <-time.After(pollInterval):
		}
	}
}

// AwaitInSync waits until all brokers take part, and each partition of each topic has a
// leader and all its replicas in sync. Only then may another broker go down.
func (c *Cluster) AwaitInSync(ctx context.Context) error {
	return until(ctx, "wait until all replicas are in sync", func(ctx context.Context) error {
		// The controllers may still believe in a broker that has just gone down.
		for b := range c.brokers {
			if !c.Running(b) {
				return fmt.Errorf("broker %d is down", b)
			}
		}
		res, err := c.metadata(ctx, nil)
		if err != nil {
			return err
		}
		if len(res.Brokers) < size {
			return fmt.Errorf("%d of %d brokers take part", len(res.Brokers), size)
		}
		for _, topic := range res.Topics {
			if err := inSync(topic); err != nil {
				return err
			}
		}
		return nil
	})
}

// inSync returns an error about a partition that lacks a leader or a replica.
func inSync(topic kmsg.MetadataResponseTopic) error {
	if err := kerr.ErrorForCode(topic.ErrorCode); err != nil {
		return fmt.Errorf("topic %q: %w", *topic.Topic, err)
	}
	for _, p := range topic.Partitions {
		if p.Leader < 0 || len(p.ISR) < len(p.Replicas) {
			return fmt.Errorf("topic %q partition %d has leader %d and, of the replicas %v, these in sync: %v",
				*topic.Topic, p.Partition, p.Leader, p.Replicas, p.ISR)
		}
	}
	return nil
}

// metadata asks for topics, or for all if topics is nil, without the client's cache.
func (c *Cluster) metadata(ctx context.Context, topics []string) (*kmsg.MetadataResponse, error) {
	req := kmsg.NewPtrMetadataRequest()
	for _, name := range topics {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, topic)
	}
	return req.RequestWith(ctx, c.client)
}

// partition asks for one partition's leader and replicas.
func (c *Cluster) partition(ctx context.Context, topic string, partition int32) (kmsg.MetadataResponseTopicPartition, error) {
	res, err := c.metadata(ctx, []string{topic})
	if err == nil {
		err = kerr.ErrorForCode(res.Topics[0].ErrorCode)
	}
	if err != nil {
		return kmsg.MetadataResponseTopicPartition{}, fmt.Errorf("look up topic %q: %w", topic, err)
	}
	for _, p := range res.Topics[0].Partitions {
		if p.Partition == partition {
			return p, nil
		}
	}
	return kmsg.MetadataResponseTopicPartition{}, fmt.Errorf("topic %q has no partition %d", topic, partition)
}
