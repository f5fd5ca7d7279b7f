package group

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/describegroups"
	"github.com/segmentio/kafka-go/protocol/leavegroup"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/internal/kafka/assign"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// coordinator sends requests to the broker that coordinates a group. It is safe
// for concurrent use.
type coordinator struct {
	client  *kafka.Client
	groupID string
	broker  atomic.Int32 // its id; -1 while it is unknown
}

func newCoordinator(c *kafka.Client, groupID string) *coordinator {
	g := &coordinator{client: c, groupID: groupID}
	g.broker.Store(-1)
	return g
}

// ask sends a request to the coordinator, and looks it up first if it is not known.
// ctx bounds the wait. After an error the request is sent already or never will be.
func (g *coordinator) ask(ctx context.Context, req protocol.Message) (protocol.Message, error) {
	broker, err := g.lookUp(ctx)
	if err != nil {
		return nil, err
	}
	res, err := g.client.AskCoordinator(ctx, broker, req)
	if err != nil {
		g.forget(broker)
		return nil, fmt.Errorf("%s request: %w", req.ApiKey(), err)
	}
	return res, nil
}

// lookUp returns the id of the broker that coordinates the group.
func (g *coordinator) lookUp(ctx context.Context) (int32, error) {
	if id := g.broker.Load(); id >= 0 {
		return id, nil
	}
	broker, err := g.client.FindCoordinator(ctx, g.groupID)
	if err == nil {
		g.broker.Store(broker)
	}
	return broker, err
}

// forget makes the next request look up the coordinator, unless another request has
// done so already.
func (g *coordinator) forget(broker int32) { g.broker.CompareAndSwap(broker, -1) }

// noteError forgets the coordinator if a response says that the broker does not
// coordinate the group, or not yet: the group may be moving to another broker.
func (g *coordinator) noteError(err error) {
	if kafka.MovedGroup(err) {
		g.forget(g.broker.Load())
	}
}

// remove removes a member from the group. It tries until ctx is done while the
// coordinator is away.
func (g *coordinator) remove(ctx context.Context, member string) error {
	var pause backoff.Backoff
	for {
		err := g.tryRemove(ctx, member)
		if err == nil || !kafka.Retriable(err) || pause.Wait(ctx) != nil {
			return err
		}
	}
}

func (g *coordinator) tryRemove(ctx context.Context, member string) error {
	ctx, cancel := context.WithTimeout(ctx, kafka.RequestTimeout)
	defer cancel()
	answer, err := g.ask(ctx, &leavegroup.Request{
		GroupID: g.groupID, MemberID: member, Members: []leavegroup.RequestMember{{MemberID: member}},
	})
	if err != nil {
		return err
	}
	res := answer.(*leavegroup.Response)
	if err := wire.LeaveGroupError(res); err != nil {
		g.noteError(err)
		return err
	}
	for _, m := range res.Members {
		if err := wire.ErrorOf(m.ErrorCode); err != nil {
			return err
		}
	}
	return nil
}

// protocolError explains why the group's members and this one have no protocol
// in common.
func (g *coordinator) protocolError(ctx context.Context, err error) error {
	kind, name := g.protocol(ctx)
	switch {
	case kind != "" && kind != assign.ProtocolType:
		return fmt.Errorf("it is a group of the type %q, not of consumers: choose another group id (%w)", kind, err)
	case name != "":
		name = fmt.Sprintf("the assignor %q, not", name)
	default: // in the middle of a rebalance, or this user may not see it
		name = "another assignor than"
	}
	return fmt.Errorf("its members use %s %q: set partition.assignment.strategy to "+
		"CooperativeStickyAssignor everywhere, or choose another group id (%w)", name, assign.Name, err)
}

// protocol returns the group's protocol type and assignor, as far as the
// coordinator shows them.
func (g *coordinator) protocol(ctx context.Context) (kind, name string) {
	ctx, cancel := context.WithTimeout(ctx, kafka.RequestTimeout)
	defer cancel()
	answer, err := g.ask(ctx, &describegroups.Request{Groups: []string{g.groupID}})
	if err != nil {
		return "", "" // only the error message needs it
	}
	for _, group := range answer.(*describegroups.Response).Groups {
		if group.ErrorCode == 0 {
			kind, name = group.ProtocolType, group.ProtocolData
		}
	}
	return kind, name
}
