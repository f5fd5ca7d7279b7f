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

// Cluster gives a test access to a broker through a client other than the worker's. Its
// methods fail the test on errors. Only the test's goroutine may call them.
type Cluster struct {
	tb    testing.TB
	addrs []string
	opts  []kgo.Opt
	admin *kgo.Client // made at the first use
	// compacted prepares the broker for a compacted topic that the test creates. It
	// is nil if the broker treats such topics as Kafka does.
	compacted func(topic string)
}

// Addrs returns the bootstrap servers. They use neither encryption nor authentication,
// unless the test has started the broker with other options.
func (c *Cluster) Addrs() []string { return slices.Clone(c.addrs) }

// For returns the same broker for another test, such as a subtest. The methods of the
// result fail that test, and its clients are closed at that test's end.
func (c *Cluster) For(tb testing.TB) *Cluster {
	return &Cluster{tb: tb, addrs: c.addrs, opts: c.opts, compacted: c.compacted}
}

// Client returns a franz-go client, for requests that the helpers don't cover. It is
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

// AddPartitions raises a topic's number of partitions to count and waits until all have
// leaders.
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

// Partitions returns the number of a topic's partitions, or 0 if the topic does not
// exist.
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

// Eventually waits until condition returns true, and fails the test if that takes too
// long.
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

// request sends one request of the protocol. franz-go routes it, and retries it while the
// broker is not ready.
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
