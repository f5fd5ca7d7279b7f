package cluster

import (
	"context"
	"fmt"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// CreateTopic creates a topic with a replica on each broker, and waits until all
// partitions have leaders.
func (c *Cluster) CreateTopic(ctx context.Context, name string, partitions int32, configs map[string]string) error {
	entries := map[string]*string{"min.insync.replicas": kmsg.StringPtr(fmt.Sprint(minInSync))}
	for key, value := range configs {
		entries[key] = kmsg.StringPtr(value)
	}
	if _, err := c.admin.CreateTopic(ctx, partitions, size, entries, name); err != nil {
		return fmt.Errorf("create topic %q: %w", name, err)
	}
	return c.awaitLeaders(ctx, name, partitions)
}

// Grow raises a topic's number of partitions, and waits until all have leaders.
func (c *Cluster) Grow(ctx context.Context, topic string, partitions int32) error {
	res, err := c.admin.UpdatePartitions(ctx, int(partitions), topic)
	if err == nil {
		err = res.Error()
	}
	if err != nil {
		return fmt.Errorf("raise the partitions of topic %q to %d: %w", topic, partitions, err)
	}
	return c.awaitLeaders(ctx, topic, partitions)
}

func (c *Cluster) awaitLeaders(ctx context.Context, topic string, partitions int32) error {
	what := fmt.Sprintf("wait for the leaders of topic %q", topic)
	return until(ctx, what, func(ctx context.Context) error {
		return c.agreed(ctx, []string{topic}, func(res *kmsg.MetadataResponse) error { return led(res.Topics[0], partitions) })
	})
}

// led returns an error unless so many partitions of a topic have a leader.
func led(topic kmsg.MetadataResponseTopic, partitions int32) error {
	if err := kerr.ErrorForCode(topic.ErrorCode); err != nil {
		return err
	}
	n := int32(0)
	for _, p := range topic.Partitions {
		if p.Leader >= 0 {
			n++
		}
	}
	if n < partitions {
		return fmt.Errorf("%d of %d partitions have a leader", n, partitions)
	}
	return nil
}

// Partitions returns the number of a topic's partitions.
func (c *Cluster) Partitions(ctx context.Context, topic string) (int32, error) {
	res, err := c.metadata(ctx, []string{topic})
	if err == nil {
		err = kerr.ErrorForCode(res.Topics[0].ErrorCode)
	}
	if err != nil {
		return 0, fmt.Errorf("look up topic %q: %w", topic, err)
	}
	return int32(len(res.Topics[0].Partitions)), nil
}

// DeleteTopic deletes a topic.
func (c *Cluster) DeleteTopic(ctx context.Context, name string) error {
	if _, err := c.admin.DeleteTopic(ctx, name); err != nil {
		return fmt.Errorf("delete topic %q: %w", name, err)
	}
	return nil
}

// SetTopicConfig sets an entry of a topic's configuration. An empty value removes it, and
// the default holds again.
func (c *Cluster) SetTopicConfig(ctx context.Context, topic, key, value string) error {
	entry := kadm.AlterConfig{Op: kadm.SetConfig, Name: key, Value: kmsg.StringPtr(value)}
	if value == "" {
		entry = kadm.AlterConfig{Op: kadm.DeleteConfig, Name: key}
	}
	res, err := c.admin.AlterTopicConfigs(ctx, []kadm.AlterConfig{entry}, topic)
	if err == nil {
		_, err = res.On(topic, func(r *kadm.AlterConfigsResponse) error { return r.Err })
	}
	if err != nil {
		return fmt.Errorf("set %s of topic %q to %q: %w", key, topic, value, err)
	}
	return nil
}

// DeleteRecords deletes the records of partitions before the given offsets, as retention
// does.
func (c *Cluster) DeleteRecords(ctx context.Context, topic string, before map[int32]int64) error {
	var offsets kadm.Offsets
	for p, at := range before {
		offsets.AddOffset(topic, p, at, -1)
	}
	res, err := c.admin.DeleteRecords(ctx, offsets)
	if err == nil {
		err = res.Error()
	}
	if err != nil {
		return fmt.Errorf("delete records of topic %q: %w", topic, err)
	}
	return nil
}
