package kafka

import (
	"context"
	"errors"
	"fmt"
)

// Admin asks a cluster about many topics and groups at once: each of its
// questions takes one request for each broker concerned, whatever the number of
// topics. It tries once, and is safe for concurrent use.
type Admin struct {
	c            *Client
	coordinators coordinatorCache
	versions     versionCache
}

// NewAdmin returns an Admin; it does not connect yet. The configuration's topics
// don't matter. An error is about the configuration itself.
func NewAdmin(cfg ClientConfig) (*Admin, error) {
	cfg.Topics = nil // the transport need not know any
	c, err := NewClient(cfg)
	if err != nil {
		return nil, err
	}
	return &Admin{c: c}, nil
}

// Close closes the idle connections; those in use close when their request is
// done.
func (a *Admin) Close() { a.c.Close() }

// TopicInfo is what is known of one topic.
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
		leaders, err := LeadersOf(t)
		topics[t.Name] = TopicInfo{Leaders: leaders, Err: err}
	}
	for _, name := range names {
		if _, ok := topics[name]; !ok {
			topics[name] = TopicInfo{Err: fmt.Errorf("look up topic %q: the broker's answer does not contain it", name)}
		}
	}
	return topics, nil
}

// Refused reports whether err stays the same until somebody changes a
// configuration: the cluster does not accept the credentials or the certificate,
// its certificate is not accepted, or it does not allow what was asked.
func Refused(err error) bool {
	if errors.Is(err, ErrNotAuthorized) {
		return true
	}
	refused, ok := errors.AsType[interface {
		error
		permanent() bool
	}](err)
	return ok && refused.permanent()
}
