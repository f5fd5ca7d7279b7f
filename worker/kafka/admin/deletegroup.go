package admin

import (
	"context"
	"errors"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/deletegroups"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// ErrGroupNotEmpty says that a group can't be deleted while it is in use.
var ErrGroupNotEmpty = errors.New("the group has live members")

// DeleteGroup deletes a consumer group with its offsets. It returns nil for a
// group that does not exist, and ErrGroupNotEmpty for one that has members.
func (a *Admin) DeleteGroup(ctx context.Context, group string) error {
	brokers, failed := a.byCoordinator(ctx, []string{group})
	if err := failed[group]; err != nil {
		return fmt.Errorf("delete %w", err)
	}
	for broker := range brokers {
		res, err := a.exchange(ctx, broker, &deletegroups.Request{GroupIDs: []string{group}})
		if err != nil {
			a.coordinators.forget(group)
			return fmt.Errorf("delete %w", kafka.GroupError(group, err))
		}
		for _, g := range res.(*deletegroups.Response).Responses {
			if g.GroupID == group {
				return a.deleted(ctx, broker, group, wire.ErrorOf(g.ErrorCode))
			}
		}
	}
	return fmt.Errorf("delete consumer group %q: %w", group, wire.OmittedError("it"))
}

func (a *Admin) deleted(ctx context.Context, broker int32, group string, err error) error {
	switch {
	case err == nil || errors.Is(err, kafkago.GroupIdNotFound):
		a.coordinators.forget(group)
		return nil
	case errors.Is(err, kafkago.NonEmptyGroup):
		return fmt.Errorf("delete consumer group %q: %w%s", group, ErrGroupNotEmpty, a.members(ctx, broker, group))
	case errors.Is(err, kafkago.GroupAuthorizationFailed):
		return fmt.Errorf("delete consumer group %q: %w: allow this user the operation Delete on it (%w)", group, kafka.ErrNotAuthorized, err)
	}
	if kafka.MovedGroup(err) {
		a.coordinators.forget(group)
	}
	return fmt.Errorf("delete consumer group %q: %w", group, err)
}

// members describes the members of a group, for an error message; "" if it can't find
// them.
func (a *Admin) members(ctx context.Context, broker int32, group string) string {
	members, err := a.membersAt(ctx, broker, group)
	if err != nil || len(members) == 0 {
		return ""
	}
	return fmt.Sprintf(": %d of them, such as client %q at %s: stop them", len(members), members[0].ClientID, members[0].Host)
}
