package kafkatest

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// patience is how long a helper waits for a broker before it fails the test.
const patience = 60 * time.Second

// Cluster is a broker as a test's own client sees it. Its methods fail the test
// when something does not work, and may be called from the test's goroutine
// only.
type Cluster struct {
	tb    testing.TB
	addrs []string
	opts  []kgo.Opt
	admin *kgo.Client // made when first needed
	// compacted is called for compacted topics that the test creates; nil if
	// the broker needs no help to treat them as Kafka does.
	compacted func(topic string)
}

// Addrs returns the bootstrap servers, plaintext and without authentication
// unless the test started the broker otherwise.
func (c *Cluster) Addrs() []string { return slices.Clone(c.addrs) }

// For returns the same broker for another test, such as a subtest: its methods
// fail that one, and its clients are closed at that one's end.
func (c *Cluster) For(tb testing.TB) *Cluster {
	return &Cluster{tb: tb, addrs: c.addrs, opts: c.opts, compacted: c.compacted}
}

// Client returns a franz-go client for what the helpers don't cover. It is
// closed at the end of the test.
func (c *Cluster) Client(opts ...kgo.Opt) *kgo.Client {
	c.tb.Helper()
	client, err := kgo.NewClient(slices.Concat([]kgo.Opt{
		kgo.SeedBrokers(c.addrs...),
		kgo.RetryTimeout(patience),
		kgo.MetadataMinAge(50 * time.Millisecond),
	}, c.opts, opts)...)
	if err != nil {
		c.tb.Fatalf("make a franz-go client: %v", err)
	}
	c.tb.Cleanup(client.Close)
	return client
}

// CreateTopic creates a topic with one replica and waits until it has leaders.
func (c *Cluster) CreateTopic(name string, partitions int32, configs map[string]string) {
	c.tb.Helper()
	topic := kmsg.NewCreateTopicsRequestTopic()
	topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, partitions, 1
	for key, value := range configs {
		entry := kmsg.NewCreateTopicsRequestTopicConfig()
		entry.Name, entry.Value = key, kmsg.StringPtr(value)
		topic.Configs = append(topic.Configs, entry)
	}
	req := kmsg.NewPtrCreateTopicsRequest()
	req.Topics = append(req.Topics, topic)
	res := request[*kmsg.CreateTopicsResponse](c, req)
	if err := kerr.ErrorForCode(res.Topics[0].ErrorCode); err != nil {
		c.tb.Fatalf("create topic %q: %v", name, err)
	}
	c.awaitLeaders(name, partitions)
	if c.compacted != nil && strings.Contains(configs["cleanup.policy"], "compact") {
		c.compacted(name)
	}
}

func (c *Cluster) awaitLeaders(name string, partitions int32) {
	c.tb.Helper()
	c.Eventually("topic "+name+" has leaders", func() bool {
		t := c.describe(name)
		return len(t.Partitions) == int(partitions) &&
			!slices.ContainsFunc(t.Partitions, func(p kmsg.MetadataResponseTopicPartition) bool { return p.Leader < 0 })
	})
}

// DeleteTopic deletes a topic.
func (c *Cluster) DeleteTopic(name string) {
	c.tb.Helper()
	topic := kmsg.NewDeleteTopicsRequestTopic()
	topic.Topic = kmsg.StringPtr(name)
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.Topics, req.TopicNames = append(req.Topics, topic), []string{name}
	res := request[*kmsg.DeleteTopicsResponse](c, req)
	if err := kerr.ErrorForCode(res.Topics[0].ErrorCode); err != nil {
		c.tb.Fatalf("delete topic %q: %v", name, err)
	}
}

// AddPartitions makes a topic have as many partitions as count and waits until
// they have leaders.
func (c *Cluster) AddPartitions(name string, count int32) {
	c.tb.Helper()
	topic := kmsg.NewCreatePartitionsRequestTopic()
	topic.Topic, topic.Count = name, count
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.Topics = append(req.Topics, topic)
	res := request[*kmsg.CreatePartitionsResponse](c, req)
	if err := kerr.ErrorForCode(res.Topics[0].ErrorCode); err != nil {
		c.tb.Fatalf("add partitions to topic %q: %v", name, err)
	}
	c.awaitLeaders(name, count)
}

// Partitions returns how many partitions a topic has; 0 if there is no such
// topic.
func (c *Cluster) Partitions(name string) int32 {
	c.tb.Helper()
	return int32(len(c.describe(name).Partitions))
}

func (c *Cluster) describe(name string) kmsg.MetadataResponseTopic {
	c.tb.Helper()
	topic := kmsg.NewMetadataRequestTopic()
	topic.Topic = kmsg.StringPtr(name)
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = append(req.Topics, topic)
	return request[*kmsg.MetadataResponse](c, req).Topics[0]
}

// Eventually waits until condition holds, and fails the test if it does not
// come to.
func (c *Cluster) Eventually(what string, condition func() bool) {
	c.tb.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !condition(); <-tick.C {
		if time.Now().After(deadline) {
			c.tb.Fatalf("waited %v in vain: %s", patience, what)
		}
	}
}

// request sends one request of the protocol; franz-go routes it, and retries
// while the broker is not ready.
func request[R kmsg.Response](c *Cluster, req kmsg.Request) R {
	c.tb.Helper()
	if c.admin == nil {
		c.admin = c.Client()
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	res, err := c.admin.Request(ctx, req)
	if err != nil {
		c.tb.Fatalf("%s request: %v", kmsg.NameForKey(req.Key()), err)
	}
	return res.(R)
}
