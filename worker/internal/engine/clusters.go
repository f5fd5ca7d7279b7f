package engine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/telemetry"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// silenceShown is the time for which a cluster does not answer before /status says so.
// A broken connection is usually replaced within that time.
const silenceShown = 3 * time.Second

// place names a cluster by its part in the data path.
type place string

// The places. Results that go to the input's cluster share its connections.
const (
	inputPlace  place = "input"
	outputPlace place = "output"
)

// clusters holds the connections to the input's and the output's cluster.
type clusters struct {
	cfg     config.Config
	metrics *telemetry.Metrics
	log     logr.Logger

	// dial connects to brokers; nil is over TCP.
	dial func(ctx context.Context, network, address string) (net.Conn, error)

	input  *kafka.Client
	output *kafka.Client // input unless they are apart
	apart  bool          // the output has its own connections
	// opened is set once the fields above are.
	opened atomic.Bool
}

// open makes the clients of the input's and the output's cluster: one client
// if they are the same. It does not connect yet.
func (c *clusters) open() (err error) {
	if err := c.newClients(); err != nil {
		return err
	}
	c.opened.Store(true)
	return nil
}

func (c *clusters) newClients() (err error) {
	output, apart := c.cfg.OutputKafka()
	topics := []string{c.cfg.Input.Topic}
	if t := c.cfg.Failure.DeadLetter.Topic; t != "" {
		topics = append(topics, t)
	}
	var outputTopics []string
	if t := c.cfg.Output.Topic; t != "" {
		outputTopics = []string{t}
	}
	if !apart {
		c.input, err = c.newClient(inputPlace, c.cfg.Kafka, append(topics, outputTopics...))
		c.output = c.input
		return err
	}
	c.apart = true
	if c.input, err = c.newClient(inputPlace, c.cfg.Kafka, topics); err != nil {
		return c.in(inputPlace, err)
	}
	c.output, err = c.newClient(outputPlace, output, outputTopics)
	return c.in(outputPlace, err)
}

func (c *clusters) newClient(at place, k config.Kafka, topics []string) (*kafka.Client, error) {
	clientConfig, err := kafka.ConfigFrom(k, "millrace-"+c.cfg.Name, topics...)
	if err != nil {
		return nil, err
	}
	clientConfig.TokenFailed = func() { c.metrics.TokensFailed.Add(1) }
	clientConfig.Logger = c.log
	clientConfig.Dial = c.dial
	if c.apart {
		clientConfig.Logger = c.log.WithValues("cluster", at)
	}
	return kafka.NewClient(clientConfig)
}

func (c *clusters) close() {
	if c.input != nil {
		c.input.Close()
	}
	if c.apart && c.output != nil {
		c.output.Close()
	}
}

// in adds to an error which cluster it is about, where there are two.
func (c *clusters) in(at place, err error) error {
	switch {
	case err == nil || !c.apart:
		return err
	case at == outputPlace:
		return fmt.Errorf("the output's cluster (output.kafka): %w", err)
	default:
		return fmt.Errorf("the input's cluster (kafka): %w", err)
	}
}

// checkTopics makes sure that the topics exist.
func (c *clusters) checkTopics(ctx context.Context) error {
	if err := c.in(inputPlace, c.checkInput(ctx)); err != nil {
		return err
	}
	if err := c.in(outputPlace, c.checkOutput(ctx)); err != nil {
		return err
	}
	if err := c.in(inputPlace, c.checkLetters(ctx)); err != nil {
		return err
	}
	return c.checkApart(ctx)
}

func (c *clusters) checkInput(ctx context.Context) error {
	if _, err := c.input.AwaitPartitions(ctx, c.cfg.Input.Topic); err != nil {
		return fmt.Errorf("input topic: %w", err)
	}
	return nil
}

func (c *clusters) checkLetters(ctx context.Context) error {
	if t := c.cfg.Failure.DeadLetter; t.Topic != "" {
		if err := ensureTopic(ctx, c.input, t.Topic, t.Create); err != nil {
			return fmt.Errorf("dead-letter topic: %w", err)
		}
	}
	return nil
}

func (c *clusters) checkOutput(ctx context.Context) error {
	switch t := c.cfg.Output; {
	case t.Topic != "":
		if err := ensureTopic(ctx, c.output, t.Topic, t.Create); err != nil {
			return fmt.Errorf("output topic: %w", err)
		}
	case c.apart:
		return c.output.Ping(ctx) // refused credentials show now, not with the first result
	}
	return nil
}

func ensureTopic(ctx context.Context, client *kafka.Client, topic string, create *config.CreateTopic) error {
	if create == nil {
		_, err := client.AwaitPartitions(ctx, topic)
		return err
	}
	return client.CreateTopic(ctx, topic, create.Partitions, create.ReplicationFactor)
}

// checkApart refuses an output topic that is the input topic or the dead-letter topic:
// two lists of brokers may name the same cluster by different addresses.
func (c *clusters) checkApart(ctx context.Context) error {
	name := c.cfg.Output.Topic
	if !c.apart || name != c.cfg.Input.Topic && name != c.cfg.Failure.DeadLetter.Topic || name == "" {
		return nil
	}
	here, err := c.input.TopicID(ctx, name)
	if err != nil {
		return c.in(inputPlace, err)
	}
	there, err := c.output.TopicID(ctx, name)
	if err != nil {
		return c.in(outputPlace, err)
	}
	if here != there || here == (kafka.TopicID{}) {
		return nil
	}
	return fmt.Errorf("output.topic: %q is the topic of that name in the input's cluster: kafka and output.kafka name the same cluster "+
		"by different addresses: name another topic, or correct output.kafka", name)
}

// silent lists the clusters whose brokers do not answer.
func (c *clusters) silent() []workerstatus.Silence {
	var found []workerstatus.Silence
	add := func(at place, client *kafka.Client) {
		if s := client.Silence(); s != nil && time.Since(s.Since) >= silenceShown {
			found = append(found, workerstatus.Silence{Cluster: string(at), Since: s.Since, Error: s.Err.Error()})
		}
	}
	switch {
	case !c.opened.Load():
	case c.apart:
		add(inputPlace, c.input)
		add(outputPlace, c.output)
	default:
		add("", c.input)
	}
	return found
}

// errNoTopic is the error of a result without a topic.
var errNoTopic = errors.New("the result names no topic, and the worker has no output topic: " +
	"set output.topic, or name a topic in each result")
