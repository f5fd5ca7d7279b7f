package kafka

import (
	"errors"
	"net"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/heartbeat"
	"github.com/segmentio/kafka-go/protocol/leavegroup"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestSwappedErrors: kafka-go reads two answers with fields in the wrong order.
func TestSwappedErrors(t *testing.T) {
	for _, throttle := range []int32{0, 5, 1 << 20} {
		beat := kmsg.NewPtrHeartbeatResponse()
		beat.Version, beat.ThrottleMillis, beat.ErrorCode = groupVersions[protocol.Heartbeat], throttle, 27
		if err := heartbeatError(exchangeWith(t, &heartbeat.Request{}, beat).(*heartbeat.Response)); !errors.Is(err, kafkago.RebalanceInProgress) {
			t.Errorf("heartbeat throttled for %d ms: got %v, want error 27", throttle, err)
		}
		left := kmsg.NewPtrLeaveGroupResponse()
		left.Version, left.ThrottleMillis, left.ErrorCode = groupVersions[protocol.LeaveGroup], throttle, 16
		if err := leaveGroupError(exchangeWith(t, &leavegroup.Request{}, left).(*leavegroup.Response)); !errors.Is(err, kafkago.NotCoordinatorForGroup) {
			t.Errorf("leave group throttled for %d ms: got %v, want error 16", throttle, err)
		}
		beat.ErrorCode, left.ErrorCode = 0, 0
		if err := heartbeatError(exchangeWith(t, &heartbeat.Request{}, beat).(*heartbeat.Response)); err != nil {
			t.Errorf("heartbeat throttled for %d ms: %v", throttle, err)
		}
		if err := leaveGroupError(exchangeWith(t, &leavegroup.Request{}, left).(*leavegroup.Response)); err != nil {
			t.Errorf("leave group throttled for %d ms: %v", throttle, err)
		}
	}
}

// exchangeWith sends a request to a broker that gives this answer.
func exchangeWith(t *testing.T, req protocol.Message, res kmsg.Response) protocol.Message {
	t.Helper()
	e := &groupExchange{request: req}
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
	return got.(*answer).Message
}

// TestAbortedExchangeSendsNothing: a request that is still in the transport's
// hands when its sender gave up must not go out later.
func TestAbortedExchangeSendsNothing(t *testing.T) {
	e := &groupExchange{request: &heartbeat.Request{}}
	e.abort()
	ours, theirs := net.Pipe()
	defer func() { _, _ = ours.Close(), theirs.Close() }()
	if _, err := e.RawExchange(protocol.NewConn(ours, "test")); err == nil {
		t.Error("exchanged after abort")
	}
}

func TestAbortEndsTheWait(t *testing.T) {
	e := &groupExchange{request: &heartbeat.Request{}}
	e.Required(map[protocol.ApiKey]int16{protocol.Heartbeat: 3})
	ours, theirs := net.Pipe()
	defer func() { _, _ = ours.Close(), theirs.Close() }()
	ended := make(chan error, 1)
	go func() {
		_, err := e.RawExchange(protocol.NewConn(ours, "test"))
		ended <- err
	}()
	if _, err := theirs.Read(make([]byte, 1<<10)); err != nil {
		t.Fatal(err)
	}
	e.abort()
	select {
	case err := <-ended:
		if err == nil {
			t.Error("no error")
		}
	case <-time.After(10 * time.Second):
		t.Error("still waiting for an answer")
	}
}
