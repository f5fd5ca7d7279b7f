package kafka

import (
	"context"
	"maps"

	"github.com/millrace-dev/millrace/worker/config"
)

// TopicOptions say how a topic is written to. The first call for the topic
// decides.
type TopicOptions struct {
	// Compression, if set, is used instead of the Producer's.
	Compression config.Compression
	// Isolated lets records fail if this user may not write to the topic; without
	// it, OnFatal is called.
	Isolated bool

	named bool
}

// Topic returns the writer of a topic. The first call for it asks the cluster;
// errors.Is(err, ErrTopicNotFound) says that there is none of that name.
func (p *Producer) Topic(ctx context.Context, name string, o TopicOptions) (*TopicWriter, error) {
	if t := (*p.topics.Load())[name]; t != nil {
		return t, nil
	}
	partitions, err := p.client.Partitions(ctx, name)
	if err != nil {
		return nil, err
	}
	return p.open(name, partitions, o)
}

// open returns the writer of a topic that exists.
func (p *Producer) open(name string, partitions int32, o TopicOptions) (*TopicWriter, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := *p.topics.Load()
	if t := known[name]; t != nil {
		return t, nil
	}
	if p.closed {
		return nil, errProducerClosed
	}
	t := newTopicWriter(p, name, partitions, o)
	more := maps.Clone(known)
	more[name] = t
	p.topics.Store(&more)
	if len(known) == 0 {
		p.tasks.Go(p.refreshTopics)
	}
	return t, nil
}
