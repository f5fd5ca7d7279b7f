package kafka

import (
	"context"
	"fmt"
	"io"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/findcoordinator"
	"github.com/segmentio/kafka-go/protocol/heartbeat"
	"github.com/segmentio/kafka-go/protocol/leavegroup"
)

// capped is an exchange of at most a given version. kafka-go's later versions of
// the group's requests are laid out wrongly (heartbeat 4, syncgroup 5), so those
// before the flexible ones are used.
type capped struct {
	exchange
	limit int16
}

var groupVersions = map[protocol.ApiKey]int16{
	protocol.JoinGroup: 5, protocol.SyncGroup: 3, protocol.Heartbeat: 3, protocol.LeaveGroup: 3,
	protocol.OffsetCommit: 7, protocol.OffsetFetch: 5,
}

// Required implements protocol.RawExchanger.
func (c *capped) Required(versions map[protocol.ApiKey]int16) bool {
	c.exchange.Required(versions)
	c.version = min(c.version, c.limit)
	return true
}

// RawExchange implements protocol.RawExchanger.
func (c *capped) RawExchange(rw io.ReadWriter) (protocol.Message, error) {
	return c.exchange.RawExchange(rw)
}

// askGroup sends a request to the group's coordinator, which it looks up when it
// is not known. ctx bounds the wait.
func (m *Member) askGroup(ctx context.Context, req protocol.Message) (protocol.Message, error) {
	broker, err := m.coordinator(ctx)
	if err != nil {
		return nil, err
	}
	key := req.ApiKey()
	res, err := m.c.roundTrip(ctx, &capped{exchange: exchange{broker: broker, request: req}, limit: groupVersions[key]})
	if err != nil {
		m.forgetCoordinator()
		return nil, fmt.Errorf("%s request: %w", key, err)
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

func (m *Member) forgetCoordinator() { m.coordinatorID.Store(-1) }

// moved reports whether an answer says that another broker coordinates, and
// then forgets this one.
func (m *Member) moved(err error) bool {
	code, ok := err.(kafkago.Error) //nolint:errorlint // a bare code
	if !ok {
		return false
	}
	switch code {
	case kafkago.NotCoordinatorForGroup, kafkago.GroupCoordinatorNotAvailable, kafkago.GroupLoadInProgress:
		m.forgetCoordinator()
		return true
	default:
		return false
	}
}

// kafka-go has the error and the throttle time of these two answers the wrong
// way round: the error's bytes come last and are the low half of what it takes
// for the time.
func heartbeatError(r *heartbeat.Response) error   { return errorOf(int16(r.ThrottleTimeMs)) }
func leaveGroupError(r *leavegroup.Response) error { return errorOf(int16(r.ThrottleTimeMS)) }
