package txn

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/segmentio/kafka-go/protocol/findcoordinator"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// coordinator sends requests to the broker that coordinates a transactional id or a group.
// It keeps that broker in mind until a request fails. It is safe for concurrent use.
type coordinator struct {
	client  *kafka.Client
	kind    int8
	key     string
	timeout time.Duration // of one request

	mu       sync.Mutex
	found    bool            // guarded by mu
	broker   int32           // guarded by mu
	versions *brokerVersions // of the broker; guarded by mu
}

// The kinds of coordinators.
const (
	ofGroup       = 0
	ofTransaction = 1
)

// ask sends one request and decodes the answer. Without an answer it fails with a
// *lostError.
func (c *coordinator) ask(ctx context.Context, protocolVersion int, r request) error {
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	broker, versions, err := c.lookUp(ctx)
	if err != nil {
		return &lostError{err: err}
	}
	version, ok := versions.choose(r.api(), protocolVersion)
	if !ok {
		c.forget()
		return tooOldFor(r.api())
	}
	var sent bool
	l := &layout{request: r, version: version, sent: &sent}
	res, err := c.client.Send(ctx, wire.NewLayoutExchange(broker, c.client.ClientID(), l))
	if err != nil {
		c.forget()
		return &lostError{err: fmt.Errorf("%s request to broker %d: %w", r.api().key, broker, err), sent: sent}
	}
	return c.read(l, res.(*rawAnswer).data)
}

// read decodes an answer.
func (c *coordinator) read(l *layout, data []byte) error {
	d := newDecoder(data, l.flexible())
	d.Int32() // throttle time
	err := l.decode(d, l.version)
	if d.Err != nil {
		return &lostError{err: fmt.Errorf("response to the %s request: %w", l.ApiKey(), d.Err), sent: true}
	}
	return err
}

// lookUp returns the broker and what it knows.
func (c *coordinator) lookUp(ctx context.Context) (int32, *brokerVersions, error) {
	c.mu.Lock()
	broker, versions, found := c.broker, c.versions, c.found
	c.mu.Unlock()
	if found {
		return broker, versions, nil
	}
	broker, err := c.find(ctx)
	if err != nil {
		return -1, nil, err
	}
	res, err := c.client.Send(ctx, wire.NewLayoutExchange(broker, c.client.ClientID(), versionsRequest{}))
	if err != nil {
		return -1, nil, fmt.Errorf("ask broker %d for its versions: %w", broker, err)
	}
	versions, err = decodeVersions(res.(*rawAnswer).data)
	if err != nil {
		return -1, nil, fmt.Errorf("versions of broker %d: %w", broker, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.broker, c.versions, c.found = broker, versions, true
	return broker, versions, nil
}

func (c *coordinator) find(ctx context.Context) (int32, error) {
	res, err := c.client.Ask(ctx, kafka.AnyBroker, &findcoordinator.Request{Key: c.key, KeyType: c.kind})
	if err != nil {
		return -1, err
	}
	r := res.(*findcoordinator.Response)
	if err := wire.ErrorOf(r.ErrorCode); err != nil {
		return -1, fmt.Errorf("find the coordinator of %q: %w", c.key, err)
	}
	return r.NodeID, nil
}

// forget makes the next request look up the coordinator.
func (c *coordinator) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.found = false
}
