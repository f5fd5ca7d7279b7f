package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
)

// layoutTTL is the greatest age of the transport's layout of the cluster. It is only a
// fallback: the client refreshes the layout when the brokers change.
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
	// Topics are all topics that the client will use: the transport keeps the metadata of
	// no others.
	Topics []string
	// Dial makes a TCP connection to host:port, a bootstrap server, a broker that the
	// cluster names, or a token endpoint. The default is that of package net.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// Trusts reports whether errors may quote the answers of the other end of a
	// connection to address. Otherwise they name only the stage at which the connection
	// fails, and the kind of failure. By default they may quote all.
	Trusts func(address string, remote net.Addr) bool
	// TokenFailed, if set, is called for each failed attempt to get a token for
	// OAUTHBEARER. It must not block.
	TokenFailed func()
	// Logger gets failed connections at V(1); the calls that need them return the errors.
	// It also gets the first failed attempt to get a token, and the end of the failures.
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
	closed    atomic.Bool
}

// NewClient returns a client; it does not connect yet. See Ping.
func NewClient(cfg ClientConfig) (*Client, error) {
	servers, err := bootstrapServers(cfg.BootstrapServers)
	if err != nil {
		return nil, err
	}
	c := &Client{cfg: cfg}
	c.leaders.find = c.leaderLayout
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

// Ping sends a request to the cluster. If no bootstrap server answers, it fails with an
// ErrUnreachable that has the reason for each. A server that does not respond at all
// takes 5 seconds. Ping does not retry.
func (c *Client) Ping(ctx context.Context) error {
	_, err := c.Metadata(ctx)
	return err
}

// ClientID returns the client id of the client's requests.
func (c *Client) ClientID() string { return c.cfg.ClientID }

// Close closes the client's idle connections; those in use close when their
// request is done. Later requests fail: the transport would connect again for them.
func (c *Client) Close() {
	c.closed.Store(true)
	c.transport.CloseIdleConnections()
}

// errClosed is the error of requests after Close.
var errClosed = fmt.Errorf("the Kafka client is closed: %w", net.ErrClosed)

// RoundTrip sends one protocol message to the broker that the message's Broker, Group or
// Transaction method names. A context without a deadline lets a broker that hangs hold
// it forever.
func (c *Client) RoundTrip(ctx context.Context, req protocol.Message) (protocol.Message, error) {
	if c.closed.Load() {
		return nil, errClosed
	}
	res, err := c.transport.RoundTrip(ctx, anyServer{}, req)
	if errors.Is(err, kafkago.BrokerNotAvailable) {
		// The transport does not know this id, so it sent nothing. Its layout is brought
		// up to date here, unless another request has done so.
		c.refreshLayout(ctx)
		res, err = c.transport.RoundTrip(ctx, anyServer{}, req)
	}
	c.contact.note(err)
	return res, err
}
