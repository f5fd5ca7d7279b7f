package kafka

import (
	"context"
	"fmt"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/findcoordinator"
	"github.com/segmentio/kafka-go/protocol/heartbeat"
	"github.com/segmentio/kafka-go/protocol/leavegroup"
)

// askGroup sends a request to the group's coordinator, which it looks up when it
// is not known. ctx bounds the wait. When it returns an error, the request is
// sent already or never will be.
func (m *Member) askGroup(ctx context.Context, req protocol.Message) (protocol.Message, error) {
	broker, err := m.coordinator(ctx)
	if err != nil {
		return nil, err
	}
	e := &groupExchange{broker: broker, clientID: m.c.cfg.ClientID, request: req}
	res, err := m.c.roundTrip(ctx, e)
	if err != nil {
		e.abort()
		m.forgetCoordinator(broker)
		return nil, fmt.Errorf("%s request: %w", req.ApiKey(), err)
	}
	return res.(*answer).Message, nil
}

// coordinator returns the broker that coordinates the group.
func (m *Member) coordinator(ctx context.Context) (int32, error) {
	if id := m.coordinatorID.Load(); id >= 0 {
		return id, nil
	}
	res, err := m.c.ask(ctx, anyBroker, &findcoordinator.Request{Key: m.cfg.GroupID})
	if err != nil {
		return -1, err
	}
	r := res.(*findcoordinator.Response)
	if err := errorOf(r.ErrorCode); err != nil {
		return -1, groupError(m.cfg.GroupID, err)
	}
	m.coordinatorID.Store(r.NodeID)
	return r.NodeID, nil
}

// forgetCoordinator makes the next request ask who coordinates, unless that was
// done since.
func (m *Member) forgetCoordinator(broker int32) { m.coordinatorID.CompareAndSwap(broker, -1) }

// moved forgets the coordinator if an answer says that it is none, or that it
// is about to be one: then it may also be on its way to another broker.
func (m *Member) moved(err error) {
	if movedGroup(err) {
		m.forgetCoordinator(m.coordinatorID.Load())
	}
}

// kafka-go has the error and the throttle time of these two answers the wrong
// way round: the error's bytes come last and are the low half of what it takes
// for the time.
func heartbeatError(r *heartbeat.Response) error   { return errorOf(int16(r.ThrottleTimeMs)) }
func leaveGroupError(r *leavegroup.Response) error { return errorOf(int16(r.ThrottleTimeMS)) }
