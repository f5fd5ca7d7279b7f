package wire

import (
	"github.com/segmentio/kafka-go/protocol/heartbeat"
	"github.com/segmentio/kafka-go/protocol/leavegroup"
)

// kafka-go decodes the responses to Heartbeat and LeaveGroup with the error and the
// throttle time swapped: the error's bytes come last and are the low half of the number
// that kafka-go takes for the time.

// HeartbeatError returns the error of a response.
func HeartbeatError(r *heartbeat.Response) error { return ErrorOf(int16(r.ThrottleTimeMs)) }

// LeaveGroupError returns the error of a response.
func LeaveGroupError(r *leavegroup.Response) error { return ErrorOf(int16(r.ThrottleTimeMS)) }
