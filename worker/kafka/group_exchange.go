package kafka

import (
	"github.com/segmentio/kafka-go/protocol"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// groupVersions are the latest versions of the group's requests that are spoken.
// kafka-go lays out later ones wrongly (Heartbeat 4, SyncGroup 5), and the
// flexible encoding adds nothing here. Kafka knows these since 2.3.
var groupVersions = map[protocol.ApiKey]int16{
	protocol.JoinGroup: 5, protocol.SyncGroup: 3, protocol.Heartbeat: 3, protocol.LeaveGroup: 3,
	protocol.OffsetCommit: 7, protocol.OffsetFetch: 5, protocol.DescribeGroups: 4, protocol.DeleteGroups: 1,
}

// groupExchange returns an exchange of a request with a group's coordinator, which makes
// member ids of clientID.
func groupExchange(broker int32, clientID string, req protocol.Message) *wire.Exchange {
	if own, ok := req.(wire.Layout); ok {
		return wire.NewLayoutExchange(broker, clientID, own)
	}
	return wire.NewExchange(broker, clientID, req, groupVersions[req.ApiKey()])
}
