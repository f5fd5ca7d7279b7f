package kafka

import (
	"context"
	"io"
	"maps"
	"net"
	"strconv"
	"sync"

	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/createtopics"
	"github.com/segmentio/kafka-go/protocol/metadata"
)

// brokerSet is the brokers that the cluster last named.
type brokerSet struct {
	mu    sync.Mutex
	known map[int32]metadata.ResponseBroker // guarded by mu
}

// learn stores the brokers that the cluster names, and reports whether they are new.
func (b *brokerSet) learn(brokers []metadata.ResponseBroker) bool {
	now := make(map[int32]metadata.ResponseBroker, len(brokers))
	for _, broker := range brokers {
		now[broker.NodeID] = broker
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	news := !maps.Equal(b.known, now)
	b.known = now
	return news
}

// empty reports whether the cluster was never reached.
func (b *brokerSet) empty() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.known) == 0
}

// addresses returns where the known brokers are, as host:port.
func (b *brokerSet) addresses() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	all := make([]string, 0, len(b.known))
	for _, broker := range b.known {
		all = append(all, net.JoinHostPort(broker.Host, strconv.Itoa(int(broker.Port))))
	}
	return all
}

// refreshLayout makes the transport look up the brokers' addresses now, and waits for
// that. Otherwise the transport would use the old ones until its next regular look-up. If
// the look-up fails, the next request fails too.
func (c *Client) refreshLayout(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, c.transport.DialTimeout)
	defer cancel()
	_, _ = c.transport.RoundTrip(ctx, anyServer{}, refreshLayout{})
}

// refreshLayout is a message that is never sent. The transport takes it for the creation
// of a topic, after which it refreshes its layout of the cluster. It offers no other way
// to request that.
type refreshLayout struct{}

func (refreshLayout) ApiKey() protocol.ApiKey { return protocol.CreateTopics }

// Required implements protocol.RawExchanger.
func (refreshLayout) Required(map[protocol.ApiKey]int16) bool { return true }

// RawExchange implements protocol.RawExchanger.
func (refreshLayout) RawExchange(io.ReadWriter) (protocol.Message, error) {
	return &createtopics.Response{}, nil
}
