package kafka

import (
	"context"
	"errors"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/metadata"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// Metadata asks the cluster itself (kafka-go's transport answers metadata
// requests from a cache) for its brokers and the named topics.
func (c *Client) Metadata(ctx context.Context, topics ...string) (*metadata.Response, error) {
	// A nil list would ask for all topics.
	names := append([]string{}, topics...)
	answer, err := c.Ask(ctx, AnyBroker, &metadata.Request{TopicNames: names})
	if err != nil {
		return nil, c.unreachable(err)
	}
	res := answer.(*metadata.Response)
	c.learnBrokers(ctx, res)
	return res, nil
}

func (c *Client) learnBrokers(ctx context.Context, res *metadata.Response) {
	if c.brokers.learn(res.Brokers) {
		c.refreshLayout(ctx)
	}
}

// leaderLayout asks the cluster for the leaders of a topic's partitions and for the
// topic's id.
func (c *Client) leaderLayout(ctx context.Context, topic string) (leaderLayout, error) {
	ctx, cancel := context.WithTimeout(ctx, RequestTimeout)
	defer cancel()
	e := &wire.Probe{
		BrokerID: AnyBroker, ClientID: c.cfg.ClientID, Request: &topicMetadata{topic}, Version: topicIDVersion,
		Older: &metadata.Request{TopicNames: []string{topic}},
	}
	res, err := c.RoundTrip(ctx, e)
	if err != nil {
		return leaderLayout{}, fmt.Errorf("look up topic %q: %w", topic, c.unreachable(err))
	}
	var found *metadata.Response
	var id TopicID
	epochsKnown := true
	switch res := wire.Unwrap(res).(type) {
	case *topicMetadataAnswer:
		found, id = &res.Response, res.ids[topic]
	case *metadata.Response:
		found, epochsKnown = res, e.OlderVersion() >= 7
	}
	c.learnBrokers(ctx, found)
	for i := range found.Topics {
		t := &found.Topics[i]
		if t.Name != topic {
			continue
		}
		leaders, err := LeadersOf(t)
		if err != nil {
			return leaderLayout{}, err
		}
		layout := leaderLayout{id: id, leaders: leaders, epochs: make([]int32, len(leaders))}
		for _, p := range t.Partitions {
			layout.epochs[p.PartitionIndex] = -1
			if epochsKnown {
				layout.epochs[p.PartitionIndex] = p.LeaderEpoch
			}
		}
		return layout, nil
	}
	return leaderLayout{}, fmt.Errorf("look up topic %q: %w", topic, wire.OmittedError("it"))
}

// TopicLeaders asks the cluster for the leaders of a topic: a broker's id for each
// partition, -1 where there is no leader.
func (c *Client) TopicLeaders(ctx context.Context, topic string) ([]int32, error) {
	res, err := c.Metadata(ctx, topic)
	if err != nil {
		return nil, fmt.Errorf("look up topic %q: %w", topic, err)
	}
	for i := range res.Topics {
		if t := &res.Topics[i]; t.Name == topic {
			leaders, err := LeadersOf(t)
			if err == nil {
				c.counts.Store(topic, int32(len(leaders)))
			}
			return leaders, err
		}
	}
	return nil, fmt.Errorf("look up topic %q: %w", topic, wire.OmittedError("it"))
}

// LeadersOf returns the leaders of a topic's partitions, by partition; -1 is none.
func LeadersOf(t *metadata.ResponseTopic) ([]int32, error) {
	// A topic that was just made is LeaderNotAvailable without partitions.
	if err := wire.ErrorOf(t.ErrorCode); err != nil && (len(t.Partitions) == 0 || !errors.Is(err, kafkago.LeaderNotAvailable)) {
		return nil, TopicError(t.Name, "Describe", err)
	}
	leaders := make([]int32, len(t.Partitions))
	for i := range leaders {
		leaders[i] = -1
	}
	for _, p := range t.Partitions {
		if p.PartitionIndex < 0 || int(p.PartitionIndex) >= len(leaders) {
			return nil, fmt.Errorf("topic %q: metadata names partition %d of %d", t.Name, p.PartitionIndex, len(leaders))
		}
		// A partition that is short of a replica (REPLICA_NOT_AVAILABLE) has
		// a leader all the same.
		leaders[p.PartitionIndex] = p.LeaderID
	}
	return leaders, nil
}
