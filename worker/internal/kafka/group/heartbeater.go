package group

import (
	"context"
	"time"

	"github.com/go-logr/logr"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol/heartbeat"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/internal/kafka/assign"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// heartbeater sends a member's heartbeats. No failure to send one ends the
// membership: only the coordinator's response does.
type heartbeater struct {
	cfg   Config
	log   logr.Logger
	group *coordinator
	state *state
}

// A rebalance in which partitions move is followed by another one, when their owners have
// given them up. Nobody reads these partitions until all members have learnt of the second
// one, so heartbeats are hurried for a while, the first ones most.
const (
	hurryMost  = 10 // times as often
	beatsMost  = 30 // this many heartbeats
	hurry      = 5
	hurryBeats = 60 // with those of before
)

// interval returns the wait before the next heartbeat, of which left are still hurried.
func (h *heartbeater) interval(left int) time.Duration {
	switch {
	case left > hurryBeats-beatsMost:
		return h.cfg.HeartbeatInterval / hurryMost
	case left > 0:
		return h.cfg.HeartbeatInterval / hurry
	default:
		return h.cfg.HeartbeatInterval
	}
}

// run sends heartbeats while the member is in a generation, until ctx is done.
func (h *heartbeater) run(ctx context.Context) {
	hurried := 0 // heartbeats to come
	beat := time.NewTimer(h.cfg.HeartbeatInterval)
	defer beat.Stop()
	pause := backoff.Backoff{Max: h.cfg.HeartbeatInterval}
	for failures := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-h.state.applied:
			hurried = hurryBeats
			beat.Reset(h.interval(hurried))
			continue
		case <-beat.C:
		}
		err := h.beat(ctx)
		switch {
		case err == nil:
			failures = 0
			pause.Reset()
			hurried = max(hurried-1, 0)
			beat.Reset(h.interval(hurried))
			continue
		case ctx.Err() != nil:
			return
		case failures == 0:
			h.log.Info("the heartbeat failed; trying again", "error", err.Error())
		default:
			h.log.V(1).Info("the heartbeat failed again", "error", err.Error(), "failures", failures+1)
		}
		failures++
		beat.Reset(pause.Next())
	}
}

// beat sends one heartbeat and acts on the coordinator's response. It returns an
// error if no coordinator responded.
func (h *heartbeater) beat(ctx context.Context) error {
	id, generation := h.state.identity()
	if generation == assign.NoGeneration {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, max(h.cfg.SessionTimeout/3, time.Second))
	defer cancel()
	answer, err := h.group.ask(ctx, &heartbeat.Request{
		GroupID: h.cfg.GroupID, GenerationID: generation, MemberID: id, GroupInstanceID: h.cfg.InstanceID,
	})
	if err != nil {
		return err
	}
	err = wire.HeartbeatError(answer.(*heartbeat.Response))
	switch code, _ := err.(kafkago.Error); code { //nolint:errorlint // a bare code
	case 0:
		return nil
	case kafkago.RebalanceInProgress:
		h.state.joinAgain(generation)
		return nil
	case kafkago.IllegalGeneration:
		if !h.state.outdated(generation) {
			h.state.expel(&expulsion{id, generation, err})
		}
		return nil
	case kafkago.UnknownMemberId, kafkago.FencedInstanceID:
		h.state.expel(&expulsion{id, generation, err})
		return nil
	default:
		h.group.noteError(err)
		return err
	}
}
