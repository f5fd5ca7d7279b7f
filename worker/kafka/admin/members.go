package admin

import (
	"context"
	"errors"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/describegroups"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// GroupMember is a member of a consumer group, as the group's coordinator knows it.
type GroupMember struct{ ID, ClientID, Host string }

// Members returns the members of a consumer group, also those that are dead and whose
// sessions have not ended yet. A group that does not exist has none.
func (a *Admin) Members(ctx context.Context, group string) ([]GroupMember, error) {
	brokers, failed := a.byCoordinator(ctx, []string{group})
	if err := failed[group]; err != nil {
		return nil, err
	}
	for broker := range brokers {
		members, err := a.membersAt(ctx, broker, group)
		if err != nil {
			a.coordinators.forget(group)
			return nil, kafka.GroupError(group, fmt.Errorf("its members: %w", err))
		}
		return members, nil
	}
	return nil, nil // there is one coordinator
}

// membersAt asks a group's coordinator for its members.
func (a *Admin) membersAt(ctx context.Context, broker int32, group string) ([]GroupMember, error) {
	res, err := a.exchange(ctx, broker, &describegroups.Request{Groups: []string{group}})
	if err != nil {
		return nil, err
	}
	for i := range res.(*describegroups.Response).Groups {
		g := &res.(*describegroups.Response).Groups[i]
		if g.GroupID != group {
			continue
		}
		if err := wire.ErrorOf(g.ErrorCode); err != nil && !errors.Is(err, kafkago.GroupIdNotFound) {
			return nil, err
		}
		var members []GroupMember
		for _, m := range g.Members {
			members = append(members, GroupMember{m.MemberID, m.ClientID, m.ClientHost})
		}
		return members, nil
	}
	return nil, wire.OmittedError("it")
}
