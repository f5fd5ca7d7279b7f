package kafka

import (
	"context"
	"time"

	"github.com/segmentio/kafka-go/protocol"
)

// This file is the client's face for its rooms in worker/internal/kafka: fetch, produce
// and group. Programs have no use for it.

// ClientID returns the client id of the client's requests.
func (c *Client) ClientID() string { return c.cfg.ClientID }

// RoundTrip sends a message to the broker that its Broker method names. A context
// without a deadline lets a broker that hangs hold it forever.
func (c *Client) RoundTrip(ctx context.Context, req protocol.Message) (protocol.Message, error) {
	return c.roundTrip(ctx, req)
}

// Retry calls attempt until it succeeds, fails for good, or RequestTimeout or ctx is
// over; then it returns the last attempt's error.
func (c *Client) Retry(ctx context.Context, attempt func(context.Context) error) error {
	return c.retry(ctx, attempt)
}

// ForgetLeaders makes the next look-up of a topic's leaders ask the cluster.
func (c *Client) ForgetLeaders(topic string) { c.forgetLeaders(topic) }

// CachedLeader returns the leader of a partition if the client knows it.
func (c *Client) CachedLeader(topic string, partition int32) (Leader, bool) {
	return c.leaders.lookup(topic, partition)
}

// RefreshLeaders asks the cluster for the leaders of a topic's partitions, or joins a
// question that is under way. A leader of -1 is none.
func (c *Client) RefreshLeaders(ctx context.Context, topic string) ([]int32, error) {
	layout, err := c.refreshLeaders(ctx, topic)
	return layout.leaders, err
}

// TopicLeaders asks the cluster once for the leaders of a topic's partitions, also for a
// topic that does not exist. A leader of -1 is none.
func (c *Client) TopicLeaders(ctx context.Context, topic string) ([]int32, error) {
	return c.topicLeaders(ctx, topic)
}

// Permanent reports whether the same connection can't succeed later without a change of
// the configuration or the cluster.
func (e *DialError) Permanent() bool { return e.permanent() }

// QuietUntil returns when to send the next request to a broker that has throttled a
// response, and calls the hook, if there is one.
func QuietUntil(broker, throttleMs int32, hook func(broker int32, d time.Duration)) time.Time {
	return quietUntil(broker, throttleMs, hook)
}
