package kafka

import (
	"context"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/apiversions"
	"github.com/segmentio/kafka-go/protocol/findcoordinator"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// groupVersions are the latest versions that the client uses of requests about groups.
// kafka-go lays out later ones wrongly (Heartbeat 4, SyncGroup 5), and the flexible
// encoding adds nothing here. Kafka knows these since 2.3.
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

// FindCoordinator returns the id of the broker that coordinates a group.
func (c *Client) FindCoordinator(ctx context.Context, group string) (int32, error) {
	res, err := c.Ask(ctx, AnyBroker, &findcoordinator.Request{Key: group})
	if err != nil {
		return -1, err
	}
	r := res.(*findcoordinator.Response)
	if err := wire.ErrorOf(r.ErrorCode); err != nil {
		return -1, GroupError(group, err)
	}
	return r.NodeID, nil
}

// AskCoordinator sends a request about a group to the broker that coordinates it, and
// returns the answer. ctx bounds the wait. After an error the request is sent already or
// never will be.
func (c *Client) AskCoordinator(ctx context.Context, broker int32, req protocol.Message) (protocol.Message, error) {
	return c.Send(ctx, groupExchange(broker, c.cfg.ClientID, req))
}

// LatestVersions asks a broker for the latest version that it knows of each request:
// kafka-go negotiates none beyond its own.
func (c *Client) LatestVersions(ctx context.Context, broker int32) (map[protocol.ApiKey]int16, error) {
	res, err := c.Ask(ctx, broker, &apiversions.Request{})
	if err != nil {
		return nil, err
	}
	r := res.(*apiversions.Response)
	if err := wire.ErrorOf(r.ErrorCode); err != nil {
		return nil, err
	}
	latest := make(map[protocol.ApiKey]int16, len(r.ApiKeys))
	for _, api := range r.ApiKeys {
		latest[protocol.ApiKey(api.ApiKey)] = api.MaxVersion
	}
	return latest, nil
}
