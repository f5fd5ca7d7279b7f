package admin

import (
	"context"
	"errors"
	"fmt"
	"sync"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"

	"github.com/millrace-dev/millrace/worker/kafka"
)

// maxCoordinators bounds the memory of groups that come and go; those in use are
// soon found again.
const maxCoordinators = 1 << 16

// coordinatorCache holds which broker coordinates which group.
type coordinatorCache struct {
	mu      sync.Mutex
	brokers map[string]int32 // guarded by mu
}

func (c *coordinatorCache) get(group string) (int32, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	broker, ok := c.brokers[group]
	return broker, ok
}

func (c *coordinatorCache) put(group string, broker int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.brokers == nil || len(c.brokers) >= maxCoordinators {
		c.brokers = make(map[string]int32)
	}
	c.brokers[group] = broker
}

func (c *coordinatorCache) forget(groups ...string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, group := range groups {
		delete(c.brokers, group)
	}
}

// byCoordinator sorts groups by the brokers that coordinate them, and returns an error
// for each of the others.
func (a *Admin) byCoordinator(ctx context.Context, groups []string) (map[int32][]string, map[string]error) {
	var unknown []string
	for _, group := range groups {
		if _, ok := a.coordinators.get(group); !ok {
			unknown = append(unknown, group)
		}
	}
	failed := a.findCoordinators(ctx, unknown)
	brokers := make(map[int32][]string)
	for _, group := range groups {
		if broker, ok := a.coordinators.get(group); ok {
			brokers[broker] = append(brokers[broker], group)
		} else if failed[group] == nil {
			failed[group] = kafka.GroupError(group, kafkago.GroupCoordinatorNotAvailable)
		}
	}
	return brokers, failed
}

// findCoordinators fills the cache and returns the errors by group.
func (a *Admin) findCoordinators(ctx context.Context, groups []string) map[string]error {
	failed := make(map[string]error)
	if len(groups) == 0 {
		return failed
	}
	res, err := a.askCoordinators(ctx, groups)
	for _, group := range groups {
		if err != nil {
			failed[group] = kafka.GroupError(group, err)
		}
	}
	for _, found := range res {
		if found.err != nil {
			failed[found.group] = found.err
			continue
		}
		a.coordinators.put(found.group, found.broker)
	}
	return failed
}

// askCoordinators asks for all groups at once where brokers can.
func (a *Admin) askCoordinators(ctx context.Context, groups []string) ([]coordinatorFound, error) {
	batched, err := a.speaks(ctx, kafka.AnyBroker, protocol.FindCoordinator, findCoordinatorsVersion)
	if err != nil {
		return nil, err
	}
	if batched {
		res, err := a.exchange(ctx, kafka.AnyBroker, &findCoordinators{groups: groups})
		if err != nil {
			return nil, err
		}
		return res.(*coordinatorsFound).found, nil
	}
	var all []coordinatorFound
	for _, group := range groups {
		broker, err := a.c.FindCoordinator(ctx, group)
		if _, answered := errors.AsType[kafkago.Error](err); err != nil && !answered {
			return all, err // the others would wait for the same
		}
		all = append(all, coordinatorFound{group: group, broker: broker, err: err})
	}
	return all, nil
}

// exchange sends a request about groups to a broker. After a failure the broker may be
// another one: Admin asks for its versions again.
func (a *Admin) exchange(ctx context.Context, broker int32, req protocol.Message) (protocol.Message, error) {
	ctx, cancel := context.WithTimeout(ctx, kafka.RequestTimeout)
	defer cancel()
	res, err := a.c.AskCoordinator(ctx, broker, req)
	if err != nil {
		a.versions.forget(broker)
		if errors.Is(err, kafka.ErrUnreachable) {
			return nil, err // whatever was asked
		}
		return nil, fmt.Errorf("broker %d: %s request: %w", broker, req.ApiKey(), err)
	}
	return res, nil
}
