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
		return c.agreed(ctx, nil, allInSync)
	})
}

// allInSync returns an error unless all brokers take part, and all their topics are in sync.
func allInSync(res *kmsg.MetadataResponse) error {
	if len(res.Brokers) < size {
		return fmt.Errorf("%d of %d brokers take part", len(res.Brokers), size)
	}
	for _, topic := range res.Topics {
		if err := inSync(topic); err != nil {
			return err
		}
	}
	return nil
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

// metadata asks any broker for topics, or for all if topics is nil, without the client's
// cache.
func (c *Cluster) metadata(ctx context.Context, topics []string) (*kmsg.MetadataResponse, error) {
	return metadataRequest(topics).RequestWith(ctx, c.client)
}

func metadataRequest(topics []string) *kmsg.MetadataRequest {
	req := kmsg.NewPtrMetadataRequest()
	for _, name := range topics {
		topic := kmsg.NewMetadataRequestTopic()
		topic.Topic = kmsg.StringPtr(name)
		req.Topics = append(req.Topics, topic)
	}
	return req
}

// agreed asks each broker that takes part for topics, or for all if topics is nil, and
// returns the first error of check. A change of the metadata reaches the brokers one after
// the other, so what one of them says may be news to the next one that is asked.
func (c *Cluster) agreed(ctx context.Context, topics []string, check func(*kmsg.MetadataResponse) error) error {
	known, err := c.metadata(ctx, topics)
	if err == nil {
		err = check(known)
	}
	if err != nil {
		return err
	}
	for _, b := range known.Brokers {
		if !c.Running(int(b.NodeID)) {
			continue
		}
		res, err := metadataRequest(topics).RequestWith(ctx, c.client.Broker(int(b.NodeID)))
		if err == nil {
			err = check(res)
		}
		if err != nil {
			return fmt.Errorf("broker %d: %w", b.NodeID, err)
		}
	}
	return nil
}

// partition asks for one partition's leader and replicas.
func (c *Cluster) partition(ctx context.Context, topic string, partition int32) (kmsg.MetadataResponseTopicPartition, error) {
	res, err := c.metadata(ctx, []string{topic})
	if err != nil {
		return kmsg.MetadataResponseTopicPartition{}, fmt.Errorf("look up topic %q: %w", topic, err)
	}
	return partitionIn(res, partition)
}

// partitionIn returns a partition of the only topic of a response.
func partitionIn(res *kmsg.MetadataResponse, partition int32) (kmsg.MetadataResponseTopicPartition, error) {
	topic := res.Topics[0]
	if err := kerr.ErrorForCode(topic.ErrorCode); err != nil {
		return kmsg.MetadataResponseTopicPartition{}, fmt.Errorf("look up topic %q: %w", *topic.Topic, err)
	}
	for _, p := range topic.Partitions {
		if p.Partition == partition {
			return p, nil
		}
	}
	return kmsg.MetadataResponseTopicPartition{}, fmt.Errorf("topic %q has no partition %d", *topic.Topic, partition)
}
