package main

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// admin creates and checks the topics of a comparison.
type admin struct{ client *kgo.Client }

func (a admin) create(ctx context.Context, name string) error {
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, partitions, 1
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics = append(req.Topics, topic)
	res, err := req.RequestWith(ctx, a.client)
	if err == nil {
		err = kerr.ErrorForCode(res.Topics[0].ErrorCode)
	}
	if err == nil {
		err = a.await(ctx, name)
	}
	if err != nil {
		return fmt.Errorf("create topic %q: %w", name, err)
	}
	return nil
}

// await waits until the broker knows a leader for every partition.
func (a admin) await(ctx context.Context, name string) error {
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = kmsg.StringPtr(name)
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = append(req.Topics, topic)
	for {
		res, err := req.RequestWith(ctx, a.client)
		if err != nil {
			return err
		}
		led := 0
		for _, p := range res.Topics[0].Partitions {
			if p.ErrorCode == 0 {
				led++
			}
		}
		if led == partitions {
			return nil
		}
	}
}

func (a admin) drop(ctx context.Context, name string) error {
	topic := kmsg.NewDeleteTopicsRequestTopic()
	topic.Topic = kmsg.StringPtr(name)
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.Topics, req.TopicNames = append(req.Topics, topic), []string{name}
	res, err := req.RequestWith(ctx, a.client)
	if err == nil {
		err = kerr.ErrorForCode(res.Topics[0].ErrorCode)
	}
	if err != nil {
		return fmt.Errorf("delete topic %q: %w", name, err)
	}
	return nil
}

// records returns the number of offsets that a topic holds.
func (a admin) records(ctx context.Context, name string) (int64, error) {
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic = name
	for p := range int32(partitions) {
		partition := kmsg.NewListOffsetsRequestTopicPartition()
		partition.Partition, partition.Timestamp = p, -1 // the end
		topic.Partitions = append(topic.Partitions, partition)
	}
	req := kmsg.NewPtrListOffsetsRequest()
	req.ReplicaID, req.Topics = -1, append(req.Topics, topic)
	var total int64
	for _, shard := range a.client.RequestSharded(ctx, req) {
		if shard.Err != nil {
			return 0, fmt.Errorf("offsets of topic %q: %w", name, shard.Err)
		}
		for _, p := range shard.Resp.(*kmsg.ListOffsetsResponse).Topics[0].Partitions {
			if err := kerr.ErrorForCode(p.ErrorCode); err != nil {
				return 0, fmt.Errorf("offsets of topic %q partition %d: %w", name, p.Partition, err)
			}
			total += p.Offset
		}
	}
	return total, nil
}
