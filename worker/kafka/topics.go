package kafka

import (
	"context"
	"errors"
	"fmt"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/createtopics"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// Partitions asks the cluster how many partitions a topic has. If the topic does not
// exist, the error is an ErrTopicNotFound. The request does not create the topic.
func (c *Client) Partitions(ctx context.Context, topic string) (int32, error) {
	var count int32
	err := c.Retry(ctx, func(ctx context.Context) error {
		leaders, err := c.TopicLeaders(ctx, topic)
		count = int32(len(leaders))
		return err
	})
	return count, err
}

// topicPatience is how long AwaitPartitions looks for a missing topic.
const topicPatience = 5 * time.Second

// AwaitPartitions is like Partitions, but looks for a missing topic again for some
// seconds: brokers learn of a new topic one after another.
func (c *Client) AwaitPartitions(ctx context.Context, topic string) (int32, error) {
	patient, cancel := context.WithTimeout(ctx, topicPatience)
	defer cancel()
	var pause backoff.Backoff
	for {
		count, err := c.Partitions(ctx, topic)
		if !errors.Is(err, ErrTopicNotFound) || pause.Wait(patient) != nil {
			return count, err
		}
	}
}

// KnownPartitions returns the number of partitions that the cluster last named for the
// topic, 0 if it never did. It sends no request.
func (c *Client) KnownPartitions(topic string) int32 {
	count, _ := c.counts.Load(topic)
	n, _ := count.(int32)
	return n
}

// CreateTopic creates a topic and waits until the cluster shows it. It returns nil if the
// topic exists, whatever its shape. With 0 partitions or a replicationFactor of 0 the
// cluster's default applies.
func (c *Client) CreateTopic(ctx context.Context, topic string, partitions int32, replicationFactor int16) error {
	if partitions <= 0 {
		partitions = -1
	}
	if replicationFactor <= 0 {
		replicationFactor = -1
	}
	// A user who may not create topics can still use an existing one.
	if _, err := c.Partitions(ctx, topic); err == nil {
		return nil
	} else if !errors.Is(err, ErrTopicNotFound) && !errors.Is(err, ErrNotAuthorized) {
		return fmt.Errorf("create %w", err)
	}
	creation := topicCreation{client: c, topic: topic}
	err := c.Retry(ctx, func(ctx context.Context) error {
		return creation.request(ctx, partitions, replicationFactor)
	})
	if err != nil {
		return fmt.Errorf("create %w", err)
	}
	return creation.await(ctx)
}

// topicCreation creates one topic.
type topicCreation struct {
	client *Client
	topic  string
}

// request asks the cluster once to create the topic.
func (c topicCreation) request(ctx context.Context, partitions int32, replicationFactor int16) error {
	topic := c.topic
	cluster, err := c.client.Metadata(ctx)
	if err != nil {
		return fmt.Errorf("topic %q: %w", topic, err)
	}
	res, err := c.client.Ask(ctx, cluster.ControllerID, &createtopics.Request{
		Topics: []createtopics.RequestTopic{{
			Name:              topic,
			NumPartitions:     partitions,
			ReplicationFactor: replicationFactor,
		}},
		TimeoutMs: int32(RequestTimeout / time.Millisecond),
	})
	if err != nil {
		return fmt.Errorf("topic %q: %w", topic, err)
	}
	for _, answer := range res.(*createtopics.Response).Topics {
		if answer.Name == topic {
			return creationError(topic, replicationFactor, answer)
		}
	}
	return fmt.Errorf("topic %q: %w", topic, wire.OmittedError("it"))
}

func creationError(topic string, replicationFactor int16, answer createtopics.ResponseTopic) error {
	err := wire.ErrorOf(answer.ErrorCode)
	switch {
	case err == nil || errors.Is(err, kafkago.TopicAlreadyExists):
		return nil
	case errors.Is(err, kafkago.InvalidReplicationFactor):
		return fmt.Errorf("topic %q: the cluster can't keep %d replicas: lower the replication factor (%w: %s)",
			topic, replicationFactor, err, answer.ErrorMessage)
	case answer.ErrorMessage != "":
		err = fmt.Errorf("%w: %s", err, answer.ErrorMessage)
	}
	return TopicError(topic, "Create", err)
}

// await waits until the cluster shows a new topic: brokers learn of it one after
// another.
func (c topicCreation) await(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, retryTimeout)
	defer cancel()
	var pause backoff.Backoff
	for {
		_, err := c.client.TopicLeaders(ctx, c.topic)
		if err == nil {
			c.client.ForgetLeaders(c.topic)
			return nil
		}
		if !Retriable(err) || pause.Wait(ctx) != nil {
			return fmt.Errorf("created, but not to be seen: %w", err)
		}
	}
}
