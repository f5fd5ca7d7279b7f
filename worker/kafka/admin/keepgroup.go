package admin

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/describegroups"
	"github.com/segmentio/kafka-go/protocol/joingroup"
	"github.com/segmentio/kafka-go/protocol/leavegroup"

	"github.com/millrace-dev/millrace/worker/internal/kafka/assign"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// groupsAtOnce is how many groups one request describes.
const groupsAtOnce = 200

// keepSession bounds how long a group waits for a renewing member that failed to
// leave. Brokers allow no less by default.
const keepSession = 6 * time.Second

// EmptyGroups returns which of the groups exist and have no members. It takes one request
// for each coordinator and groupsAtOnce groups. The second result has the groups for
// which that failed.
func (a *Admin) EmptyGroups(ctx context.Context, groups []string) (empty []string, failed map[string]error) {
	brokers, failed := a.byCoordinator(ctx, groups)
	var mu sync.Mutex // guards empty and failed
	var questions sync.WaitGroup
	for broker, coordinated := range brokers {
		questions.Go(func() {
			for len(coordinated) > 0 {
				some := coordinated[:min(len(coordinated), groupsAtOnce)]
				coordinated = coordinated[len(some):]
				found, errs := a.describe(ctx, broker, some)
				mu.Lock()
				empty = append(empty, found...)
				for group, err := range errs {
					failed[group] = err
				}
				mu.Unlock()
			}
		})
	}
	questions.Wait()
	return empty, failed
}

// describe asks one coordinator which of its groups are empty.
func (a *Admin) describe(ctx context.Context, broker int32, groups []string) (empty []string, failed map[string]error) {
	failed = make(map[string]error)
	res, err := a.exchange(ctx, broker, &describegroups.Request{Groups: groups})
	if err != nil {
		a.coordinators.forget(groups...)
		for _, group := range groups {
			failed[group] = kafka.GroupError(group, err)
		}
		return nil, failed
	}
	for _, g := range res.(*describegroups.Response).Groups {
		switch err := wire.ErrorOf(g.ErrorCode); {
		case errors.Is(err, kafkago.GroupIdNotFound):
		case err != nil:
			if kafka.MovedGroup(err) {
				a.coordinators.forget(g.GroupID)
			}
			failed[g.GroupID] = kafka.GroupError(g.GroupID, err)
		case g.GroupState == "Empty":
			empty = append(empty, g.GroupID)
		}
	}
	return empty, failed
}

// RenewGroup makes the brokers keep the offsets of a group without members for
// another retention period. They delete them offsets.retention.minutes after the
// group became empty, and committing again does not change that time: only a
// member that comes and goes does. This one joins as a worker would, subscribed to
// the topic, and leaves as soon as it is in, before anything is assigned. A group
// with members must be left alone: they would rebalance.
func (a *Admin) RenewGroup(ctx context.Context, group, topic string) error {
	id := ""
	for range 2 { // the first answer may only assign an id to join with
		res, err := a.joinGroup(ctx, group, topic, id)
		if err != nil {
			return fmt.Errorf("renew %w", kafka.GroupError(group, err))
		}
		id = res.MemberID
		if kafkago.Error(res.ErrorCode) != kafkago.MemberIDRequired {
			break
		}
	}
	if err := a.leaveGroup(ctx, group, id); err != nil {
		return fmt.Errorf("leave %w", kafka.GroupError(group, err))
	}
	return nil
}

func (a *Admin) joinGroup(ctx context.Context, group, topic, id string) (*joingroup.Response, error) {
	s := assign.Subscription{Topics: []string{topic}, Generation: assign.NoGeneration}
	answer, err := a.askGroup(ctx, group, &joingroup.Request{
		GroupID: group, MemberID: id, ProtocolType: assign.ProtocolType,
		SessionTimeoutMS:   int32(keepSession.Milliseconds()),
		RebalanceTimeoutMS: int32(keepSession.Milliseconds()),
		Protocols:          []joingroup.RequestProtocol{{Name: assign.Name, Metadata: s.Encode()}},
	})
	if err != nil {
		return nil, err
	}
	res := answer.(*joingroup.Response)
	if err := wire.ErrorOf(res.ErrorCode); err != nil && !errors.Is(err, kafkago.MemberIDRequired) {
		a.forgetMoved(group, err)
		return nil, err
	}
	return res, nil
}

func (a *Admin) leaveGroup(ctx context.Context, group, id string) error {
	answer, err := a.askGroup(ctx, group, &leavegroup.Request{
		GroupID: group, MemberID: id, Members: []leavegroup.RequestMember{{MemberID: id}},
	})
	if err != nil {
		return err
	}
	res := answer.(*leavegroup.Response)
	err = wire.LeaveGroupError(res)
	for _, member := range res.Members {
		if err == nil {
			err = wire.ErrorOf(member.ErrorCode)
		}
	}
	a.forgetMoved(group, err)
	return err
}

// askGroup sends a request to the coordinator of one group.
func (a *Admin) askGroup(ctx context.Context, group string, req protocol.Message) (protocol.Message, error) {
	brokers, failed := a.byCoordinator(ctx, []string{group})
	for broker := range brokers {
		answer, err := a.exchange(ctx, broker, req)
		if err != nil {
			a.coordinators.forget(group)
		}
		return answer, err
	}
	return nil, failed[group]
}

// forgetMoved makes the next request look up the coordinator of a group that has
// moved.
func (a *Admin) forgetMoved(group string, err error) {
	if kafka.MovedGroup(err) {
		a.coordinators.forget(group)
	}
}
