package kafka

import (
	"context"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/heartbeat"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
)

// keepAlive sends heartbeats for as long as the member is in a generation. No
// failure to do so ends the membership: only a coordinator can say that.
func (m *Member) keepAlive(ctx context.Context) {
	beat := time.NewTimer(m.cfg.HeartbeatInterval)
	defer beat.Stop()
	pause := backoff.Backoff{Max: m.cfg.HeartbeatInterval}
	for failures := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
		err := m.heartbeat(ctx)
		switch {
		case err == nil:
			failures = 0
			pause.Reset()
			beat.Reset(m.cfg.HeartbeatInterval)
			continue
		case ctx.Err() != nil:
			return
		case failures == 0:
			m.log.Info("the heartbeat failed; trying again", "error", err.Error())
		default:
			m.log.V(1).Info("the heartbeat failed again", "error", err.Error(), "failures", failures+1)
		}
		failures++
		beat.Reset(pause.Next())
	}
}

// heartbeat sends one, and passes on what the coordinator says. An error means
// that no coordinator could be asked.
func (m *Member) heartbeat(ctx context.Context) error {
	m.mu.Lock()
	id, generation := m.id, m.generation
	m.mu.Unlock()
	if generation == noGeneration {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, max(m.cfg.SessionTimeout/3, time.Second))
	defer cancel()
	answer, err := m.askGroup(ctx, &heartbeat.Request{
		GroupID: m.cfg.GroupID, GenerationID: generation, MemberID: id, GroupInstanceID: m.cfg.InstanceID,
	})
	if err != nil {
		return err
	}
	err = heartbeatError(answer.(*heartbeat.Response))
	switch code, _ := err.(kafkago.Error); code { //nolint:errorlint // a bare code
	case 0:
		return nil
	case kafkago.RebalanceInProgress:
		m.rebalancing(generation)
		return nil
	case kafkago.IllegalGeneration:
		m.mu.Lock()
		outdated := m.joining || m.generation != generation
		m.mu.Unlock()
		if !outdated {
			m.expel(&expulsion{id, generation, err})
		}
		return nil
	case kafkago.UnknownMemberId, kafkago.FencedInstanceID:
		m.expel(&expulsion{id, generation, err})
		return nil
	default:
		m.moved(err)
		return err
	}
}

// rebalancing makes Run join again, unless it is doing so.
func (m *Member) rebalancing(generation int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.joining && m.generation == generation {
		m.rejoin.Notify()
	}
}
