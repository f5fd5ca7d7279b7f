package kafka

import (
	"context"
	"crypto/tls"
	"net"
	"time"

	"github.com/go-logr/logr"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// ClientConfig says how to reach a cluster.
type ClientConfig struct {
	// BootstrapServers are host:port addresses, tried in any order.
	BootstrapServers []string
	ClientID         string
	// TLS is nil for a plaintext connection.
	TLS *tls.Config
	// SASL is nil for none.
	SASL *SASL
	// Topics are all topics the client will be used for: the transport keeps
	// their metadata and no others'.
	Topics []string
	Logger logr.Logger
}

// SASL are the credentials of a SASL mechanism.
type SASL struct {
	Mechanism, Username, Password string
}

// Client holds the connections to one cluster. It is safe for concurrent use.
type Client struct {
	cfg       ClientConfig
	transport *kafkago.Transport
	addr      net.Addr
	log       logr.Logger
}

// NewClient returns a client; it does not connect yet.
func NewClient(cfg ClientConfig) (*Client, error) {
	return &Client{
		cfg:  cfg,
		addr: kafkago.TCP(cfg.BootstrapServers...),
		transport: &kafkago.Transport{
			ClientID:       cfg.ClientID,
			TLS:            cfg.TLS,
			MetadataTopics: cfg.Topics,
			MetadataTTL:    2 * time.Second,
		},
		log: cfg.Logger,
	}, nil
}

// Close closes the client's idle connections.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// roundTrip sends one protocol message to the broker that the message's own
// Broker, Group or Transaction method names.
func (c *Client) roundTrip(ctx context.Context, req protocol.Message) (protocol.Message, error) {
	return c.transport.RoundTrip(ctx, c.addr, req)
}
