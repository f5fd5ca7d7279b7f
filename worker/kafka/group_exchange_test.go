package kafka

import (
	"errors"
	"net"
	"testing"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/heartbeat"
	"github.com/segmentio/kafka-go/protocol/leavegroup"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// TestSwappedErrors: kafka-go reads two answers with fields in the wrong order.
func TestSwappedErrors(t *testing.T) {
	for _, throttle := range []int32{0, 5, 1 << 20} {
		beat := kmsg.NewPtrHeartbeatResponse()
		beat.Version, beat.ThrottleMillis, beat.ErrorCode = groupVersions[protocol.Heartbeat], throttle, 27
		if err := wire.HeartbeatError(exchangeWith(t, &heartbeat.Request{}, beat).(*heartbeat.Response)); !errors.Is(err, kafkago.RebalanceInProgress) {
			t.Errorf("heartbeat throttled for %d ms: got %v, want error 27", throttle, err)
		}
		left := kmsg.NewPtrLeaveGroupResponse()
		left.Version, left.ThrottleMillis, left.ErrorCode = groupVersions[protocol.LeaveGroup], throttle, 16
		if err := wire.LeaveGroupError(exchangeWith(t, &leavegroup.Request{}, left).(*leavegroup.Response)); !errors.Is(err, kafkago.NotCoordinatorForGroup) {
			t.Errorf("leave group throttled for %d ms: got %v, want error 16", throttle, err)
		}
		beat.ErrorCode, left.ErrorCode = 0, 0
		if err := wire.HeartbeatError(exchangeWith(t, &heartbeat.Request{}, beat).(*heartbeat.Response)); err != nil {
			t.Errorf("heartbeat throttled for %d ms: %v", throttle, err)
		}
		if err := wire.LeaveGroupError(exchangeWith(t, &leavegroup.Request{}, left).(*leavegroup.Response)); err != nil {
			t.Errorf("leave group throttled for %d ms: %v", throttle, err)
		}
	}
}

// exchangeWith sends a request to a broker that gives this answer.
func exchangeWith(t *testing.T, req protocol.Message, res kmsg.Response) protocol.Message {
	t.Helper()
	e := groupExchange(1, "", req)
	e.Required(map[protocol.ApiKey]int16{req.ApiKey(): 100})
	ours, theirs := net.Pipe()
	defer func() { _ = ours.Close() }()
	go func() {
		defer func() { _ = theirs.Close() }()
		buf := make([]byte, 1<<10)
		if _, err := theirs.Read(buf); err != nil {
			return
		}
		body := res.AppendTo([]byte{0, 0, 0, 0, 0, 0, 0, 0})
		body[3] = byte(len(body) - 4)
		_, _ = theirs.Write(body)
	}()
	got, err := e.RawExchange(protocol.NewConn(ours, "test"))
	if err != nil {
		t.Fatalf("%s: %v", req.ApiKey(), err)
	}
	return wire.Unwrap(got)
}
