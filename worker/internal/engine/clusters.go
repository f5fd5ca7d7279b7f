package engine

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka"
	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// silenceShown is how long a cluster does not answer before /status says so. A
// connection that breaks is usually replaced within that time.
const silenceShown = 3 * time.Second

// place names a cluster by its part in the data path.
type place string

// The places. Results that go to the input's cluster share its connections.
const (
	inputPlace  place = "input"
	outputPlace place = "output"
)

// openClusters makes the clients of the input's and the output's cluster: one client
// if they are the same. It does not connect yet.
func (e *Engine) openClusters() (err error) {
	output, apart := e.cfg.OutputKafka()
	topics := []string{e.cfg.Input.Topic}
	if t := e.cfg.Failure.DeadLetter.Topic; t != "" {
		topics = append(topics, t)
	}
	var outputTopics []string
	if t := e.cfg.Output.Topic; t != "" {
		outputTopics = []string{t}
	}
	if !apart {
		e.client, err = e.newClient(inputPlace, e.cfg.Kafka, append(topics, outputTopics...))
		e.output = e.client
		return err
	}
	e.apart = true
	if e.client, err = e.newClient(inputPlace, e.cfg.Kafka, topics); err != nil {
		return e.in(inputPlace, err)
	}
	e.output, err = e.newClient(outputPlace, output, outputTopics)
	return e.in(outputPlace, err)
}

func (e *Engine) newClient(at place, k config.Kafka, topics []string) (*kafka.Client, error) {
	clientConfig, err := kafka.ConfigFrom(k, "millrace-"+e.cfg.Name, topics...)
	if err != nil {
		return nil, err
	}
	clientConfig.TokenFailed = func() { e.metrics.TokensFailed.Add(1) }
	clientConfig.Logger = e.log
	if e.apart {
		clientConfig.Logger = e.log.WithValues("cluster", at)
	}
	return kafka.NewClient(clientConfig)
}

func (e *Engine) closeClusters() {
	if e.client != nil {
		e.client.Close()
	}
	if e.apart && e.output != nil {
		e.output.Close()
	}
}

// in says which cluster an error is about, where there are two.
func (e *Engine) in(at place, err error) error {
	switch {
	case err == nil || !e.apart:
		return err
	case at == outputPlace:
		return fmt.Errorf("the output's cluster (output.kafka): %w", err)
	default:
		return fmt.Errorf("the input's cluster (kafka): %w", err)
	}
}

// checkTopics makes sure that the topics exist.
func (e *Engine) checkTopics(ctx context.Context) error {
	if err := e.in(inputPlace, e.checkInput(ctx)); err != nil {
		return err
	}
	if err := e.in(outputPlace, e.checkOutput(ctx)); err != nil {
		return err
	}
	if err := e.in(inputPlace, e.checkLetters(ctx)); err != nil {
		return err
	}
	return e.checkApart(ctx)
}

func (e *Engine) checkInput(ctx context.Context) error {
	if _, err := e.client.Partitions(ctx, e.cfg.Input.Topic); err != nil {
		return fmt.Errorf("input topic: %w", err)
	}
	return nil
}

func (e *Engine) checkLetters(ctx context.Context) error {
	if t := e.cfg.Failure.DeadLetter; t.Topic != "" {
		if err := ensureTopic(ctx, e.client, t.Topic, t.Create); err != nil {
			return fmt.Errorf("dead-letter topic: %w", err)
		}
	}
	return nil
}

func (e *Engine) checkOutput(ctx context.Context) error {
	switch t := e.cfg.Output; {
	case t.Topic != "":
		if err := ensureTopic(ctx, e.output, t.Topic, t.Create); err != nil {
			return fmt.Errorf("output topic: %w", err)
		}
	case e.apart:
		return e.output.Ping(ctx) // refused credentials show now, not with the first result
	}
	return nil
}

func ensureTopic(ctx context.Context, client *kafka.Client, topic string, create *config.CreateTopic) error {
	if create == nil {
		_, err := client.Partitions(ctx, topic)
		return err
	}
	return client.CreateTopic(ctx, topic, create.Partitions, create.ReplicationFactor)
}

// checkApart refuses to read what is written: two lists of brokers may name the
// same cluster by different addresses.
func (e *Engine) checkApart(ctx context.Context) error {
	name := e.cfg.Output.Topic
	if !e.apart || name != e.cfg.Input.Topic && name != e.cfg.Failure.DeadLetter.Topic || name == "" {
		return nil
	}
	here, err := e.client.TopicID(ctx, name)
	if err != nil {
		return e.in(inputPlace, err)
	}
	there, err := e.output.TopicID(ctx, name)
	if err != nil {
		return e.in(outputPlace, err)
	}
	if here != there || here == (kafka.TopicID{}) {
		return nil
	}
	return fmt.Errorf("output.topic: %q is the topic of that name in the input's cluster: kafka and output.kafka name the same cluster "+
		"by different addresses: name another topic, or correct output.kafka", name)
}

// silent lists the clusters of which no broker answers.
func (e *Engine) silent() []workerstatus.Silence {
	var found []workerstatus.Silence
	add := func(at place, client *kafka.Client) {
		if s := client.Silence(); s != nil && time.Since(s.Since) >= silenceShown {
			found = append(found, workerstatus.Silence{Cluster: string(at), Since: s.Since, Error: s.Err.Error()})
		}
	}
	switch {
	case !e.connected.Load():
	case e.apart:
		add(inputPlace, e.client)
		add(outputPlace, e.output)
	default:
		add("", e.client)
	}
	return found
}

// errNoTopic is about a result for which there is no topic.
var errNoTopic = errors.New("the result names no topic, and the worker has no output topic: " +
	"set output.topic, or name a topic in each result")
