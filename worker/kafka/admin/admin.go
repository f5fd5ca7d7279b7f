// Package admin asks a Kafka cluster the questions of the operator and the CLI: topics,
// offsets and consumer groups, many at a time. Like package kafka, it is public for
// Millrace's own programs and may change with any release.
package admin

import (
	"context"
	"fmt"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// Admin asks a cluster about many topics and groups at once: each of its
// questions takes one request for each broker concerned, whatever the number of
// topics. It tries once, and is safe for concurrent use.
type Admin struct {
	c            *kafka.Client
	coordinators coordinatorCache
	versions     versionCache
}

// New returns an Admin; it does not connect yet. It ignores the topics in cfg. An error
// is about the configuration itself.
func New(cfg kafka.ClientConfig) (*Admin, error) {
	cfg.Topics = nil // the transport need not know any
	c, err := kafka.NewClient(cfg)
	if err != nil {
		return nil, err
	}
	return &Admin{c: c}, nil
}

// Close closes the idle connections; those in use close when their request is
// done.
func (a *Admin) Close() { a.c.Close() }

// TopicInfo describes one topic.
type TopicInfo struct {
	// Leaders has a broker's id for each partition, -1 where there is none.
	Leaders []int32
	// Err is an ErrTopicNotFound for a topic that does not exist.
	Err error
}

// Topics looks up all named topics, and no others, with one request. All of them
// are in the result.
func (a *Admin) Topics(ctx context.Context, names []string) (map[string]TopicInfo, error) {
	res, err := a.c.Metadata(ctx, names...)
	if err != nil {
		return nil, err
	}
	topics := make(map[string]TopicInfo, len(names))
	for i := range res.Topics {
		t := &res.Topics[i]
		leaders, err := kafka.LeadersOf(t)
		topics[t.Name] = TopicInfo{Leaders: leaders, Err: err}
	}
	for _, name := range names {
		if _, ok := topics[name]; !ok {
			topics[name] = TopicInfo{Err: fmt.Errorf("look up topic %q: %w", name, wire.OmittedError("it"))}
		}
	}
	return topics, nil
}
