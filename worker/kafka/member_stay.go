package kafka

import (
	"context"
	"maps"
	"slices"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/heartbeat"
)

// topicCheckInterval is how often the group's leader looks whether a topic has
// got more partitions.
const topicCheckInterval = 5 * time.Second

// stay sends heartbeats until the member has to join again.
func (m *Member) stay(ctx context.Context) error {
	beat := time.NewTimer(m.cfg.HeartbeatInterval)
	defer beat.Stop()
	check := time.NewTicker(topicCheckInterval)
	defer check.Stop()
	var pause backoff
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-m.rejoin:
			return errRejoin
		case <-check.C:
			if m.topicsGrew(ctx) {
				return errRejoin
			}
		case <-beat.C:
			err := m.heartbeat(ctx)
			switch {
			case err == nil:
				pause.reset()
				beat.Reset(m.cfg.HeartbeatInterval)
			case ctx.Err() != nil:
				return nil
			case retriable(err):
				// The coordinator is away or moving; the membership is not
				// affected, so nothing is joined anew.
				m.log.V(1).Info("heartbeat failed", "error", err.Error())
				beat.Reset(min(pause.next(), m.cfg.HeartbeatInterval))
			default:
				return err
			}
		}
	}
}

func (m *Member) heartbeat(ctx context.Context) error {
	m.mu.Lock()
	req := &heartbeat.Request{
		GroupID: m.cfg.GroupID, GenerationID: m.generation, MemberID: m.id, GroupInstanceID: m.cfg.InstanceID,
	}
	m.mu.Unlock()
	ctx, cancel := context.WithTimeout(ctx, max(m.cfg.SessionTimeout/3, time.Second))
	defer cancel()
	res, err := m.askGroup(ctx, req)
	if err != nil {
		return err
	}
	err = heartbeatError(res.(*heartbeat.Response))
	switch code, _ := err.(kafkago.Error); code { //nolint:errorlint // a bare code
	case 0:
		return nil
	case kafkago.RebalanceInProgress:
		return errRejoin
	case kafkago.UnknownMemberId, kafkago.IllegalGeneration:
		m.lose(err, code == kafkago.UnknownMemberId)
		return errRejoin
	default:
		return m.groupFault("heartbeat", err)
	}
}

// topicsGrew reports, to the group's leader, whether the topics have other
// partitions than at the last assignment.
func (m *Member) topicsGrew(ctx context.Context) bool {
	m.mu.Lock()
	leads, before := m.leader, m.counts
	m.mu.Unlock()
	if !leads {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, topicCheckInterval)
	defer cancel()
	now, err := m.partitionCounts(ctx, slices.Sorted(maps.Keys(before)))
	return err == nil && !maps.Equal(before, now)
}
