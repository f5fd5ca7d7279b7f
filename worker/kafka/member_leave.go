package kafka

import (
	"context"
	"errors"
	"fmt"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/leavegroup"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
)

// Leave ends Run and takes the member out of the group, so that others get its
// partitions at once. It tries until ctx is done while the coordinator is away.
// Static members stay in the group for their session: they are expected back.
// Nothing can be committed afterwards.
func (m *Member) Leave(ctx context.Context) error {
	m.stopRun()
	m.mu.Lock()
	running := m.running
	m.mu.Unlock()
	if running {
		// Otherwise it might join again after it has left.
		select {
		case <-m.ended:
		case <-ctx.Done():
			return fmt.Errorf("leave consumer group %q: %w", m.cfg.GroupID, ctx.Err())
		}
	}
	id := m.ID()
	if id == "" || m.cfg.InstanceID != "" {
		return nil
	}
	if err := m.remove(ctx, id); err != nil && !errors.Is(err, kafkago.UnknownMemberId) {
		return fmt.Errorf("leave %w", groupError(m.cfg.GroupID, err))
	}
	return nil
}

// remove takes a member out of the group. It tries until ctx is done while the
// coordinator is away.
func (m *Member) remove(ctx context.Context, id string) error {
	var pause backoff.Backoff
	for {
		err := m.leaveGroup(ctx, id)
		if err == nil || !retriable(err) || pause.Wait(ctx) != nil {
			return err
		}
	}
}

func (m *Member) leaveGroup(ctx context.Context, id string) error {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout/3)
	defer cancel()
	answer, err := m.askGroup(ctx, &leavegroup.Request{
		GroupID: m.cfg.GroupID, MemberID: id, Members: []leavegroup.RequestMember{{MemberID: id}},
	})
	if err != nil {
		return err
	}
	res := answer.(*leavegroup.Response)
	if err := leaveGroupError(res); err != nil {
		m.moved(err)
		return err
	}
	for _, member := range res.Members {
		if err := errorOf(member.ErrorCode); err != nil {
			return err
		}
	}
	return nil
}
