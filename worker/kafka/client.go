package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"sync"
	"time"

	"github.com/go-logr/logr"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// layoutTTL is how old the transport's picture of the cluster's brokers gets at
// most. It is only a fallback: news of brokers refreshes it at once.
const layoutTTL = 10 * time.Second

// ClientConfig says how to reach a cluster.
type ClientConfig struct {
	// BootstrapServers are host:port addresses, tried in any order. A missing
	// port is 9092.
	BootstrapServers []string
	ClientID         string
	// TLS is nil for a plaintext connection.
	TLS *tls.Config
	// SASL is nil for none.
	SASL *SASL
	// Topics are all topics the client will be used for: the transport keeps
	// their metadata and no others'.
	Topics []string
	// Dial makes a TCP connection to host:port, a bootstrap server, a broker that
	// the cluster names, or a token endpoint. nil is that of package net.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Trusts reports whether errors may quote what the other end of a connection to
	// address answers; otherwise they say only at which stage the connection fails,
	// and how. nil trusts all.
	Trusts func(address string, remote net.Addr) bool
	// TokenFailed, if set, is called for each failed attempt to get a token for
	// OAUTHBEARER. It must not block.
	TokenFailed func()
	// Logger gets failed connections at V(1); what they fail is returned. Failed
	// attempts to get a token are logged as they begin and end.
	Logger logr.Logger
}

// Client holds the connections to one cluster. It is safe for concurrent use.
type Client struct {
	cfg       ClientConfig
	transport *kafkago.Transport
	dialer    *dialer
	brokers   brokerSet
	leaders   leaderCache
	contact   contact
	counts    sync.Map // topics' names to their int32 number of partitions
}

// NewClient returns a client; it does not connect yet. See Ping.
func NewClient(cfg ClientConfig) (*Client, error) {
	servers, err := bootstrapServers(cfg.BootstrapServers)
	if err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg}
	c.dialer = &dialer{
		servers:  servers,
		brokers:  &c.brokers,
		connect:  cfg.Dial,
		trusts:   cfg.Trusts,
		tls:      cfg.TLS,
		clientID: cfg.ClientID,
		timeout:  connectTimeout,
		log:      cfg.Logger,
	}
	if c.dialer.connect == nil {
		c.dialer.connect = new(net.Dialer).DialContext
	}
	if cfg.SASL != nil {
		if c.dialer.login, err = cfg.SASL.login(&cfg); err != nil {
			return nil, err
		}
	}
	c.transport = &kafkago.Transport{
		ClientID: cfg.ClientID,
		Dial:     c.dialer.dial,
		// A connection to any server tries them all in turn.
		DialTimeout: connectTimeout * time.Duration(len(servers)+1),
		// An empty list is no topic; nil would be all of the cluster's.
		MetadataTopics: append([]string{}, cfg.Topics...),
		MetadataTTL:    layoutTTL,
	}
	return c, nil
}

// Ping makes contact with the cluster. It fails with an ErrUnreachable that
// gives the reason for each bootstrap server, as soon as each of them has
// refused, or after 5 seconds for each that does not answer at all. It does not
// retry.
func (c *Client) Ping(ctx context.Context) error {
	_, err := c.Metadata(ctx)
	return err
}

// Close closes the client's idle connections; those in use close when their
// request is done.
func (c *Client) Close() { c.transport.CloseIdleConnections() }

// roundTrip sends one protocol message to the broker that the message's own
// Broker, Group or Transaction method names. A context without a deadline lets
// a broker that hangs hold it forever.
func (c *Client) roundTrip(ctx context.Context, req protocol.Message) (protocol.Message, error) {
	res, err := c.transport.RoundTrip(ctx, anyServer{}, req)
	if errors.Is(err, kafkago.BrokerNotAvailable) {
		// The transport does not know this id: nothing was sent. The cluster
		// was asked since by others, or is asked now.
		c.refreshLayout(ctx)
		res, err = c.transport.RoundTrip(ctx, anyServer{}, req)
	}
	c.contact.note(err)
	return res, err
}
