package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"slices"
	"time"

	"github.com/go-logr/logr"
	"github.com/segmentio/kafka-go/protocol"
)

// connectTimeout bounds all stages of one connection's setup.
const connectTimeout = 5 * time.Second

// dialer sets up connections for kafka-go's transport: TCP, TLS, Kafka's handshake and
// SASL. The transport could do the last three itself, but its errors name neither the
// address nor the reason, and it dials again at once.
type dialer struct {
	servers  []string // bootstrap servers, host:port
	brokers  *brokerSet
	connect  func(ctx context.Context, network, address string) (net.Conn, error)
	trusts   func(address string, remote net.Addr) bool // nil: all
	tls      *tls.Config                                // nil: plaintext
	login    *login                                     // nil: no authentication
	clientID string
	timeout  time.Duration // for all stages
	gate     gate
	log      logr.Logger
}

// dialServer returns a connection that is ready for requests. For an address that has
// just failed, it returns the last error instead of another attempt.
func (d *dialer) dialServer(ctx context.Context, address string) (net.Conn, error) {
	if err := d.gate.enter(address); err != nil {
		return nil, err
	}
	stages, cancel := context.WithTimeout(ctx, d.timeout)
	defer cancel()
	conn, err := d.setUp(stages, address)
	if failed, ok := errors.AsType[*DialError](err); ok {
		failed.advertised = !slices.Contains(d.servers, address)
	}
	if err != nil && ctx.Err() != nil {
		// The caller gave up or had no time left: that says little about the address.
		d.gate.abandon(address, err)
		return nil, err
	}
	d.gate.leave(address, err)
	if err != nil {
		d.log.V(1).Info("could not connect to a broker", "address", address, "error", inFull(err))
	}
	return conn, err
}

func (d *dialer) setUp(ctx context.Context, address string) (net.Conn, error) {
	conn, err := d.connect(ctx, "tcp", address)
	if err != nil {
		return nil, &DialError{Address: address, Stage: StageConnect, Err: err}
	}
	secured, err := d.secure(ctx, quickSocket(conn), address)
	if err != nil {
		if failed, ok := errors.AsType[*DialError](err); ok {
			_, own := errors.AsType[*credentialsError](err) // about something else than the broker
			failed.brief = !own && d.trusts != nil && !d.trusts(address, conn.RemoteAddr())
		}
		_ = conn.Close()
		return nil, err
	}
	return secured, nil
}

// secure performs the stages after the TCP connection.
func (d *dialer) secure(ctx context.Context, conn net.Conn, address string) (net.Conn, error) {
	// The stages below have no context.
	plain := conn // its deadline also holds for the layers above it
	stop := context.AfterFunc(ctx, func() { _ = plain.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if d.tls != nil {
		encrypted := tls.Client(conn, tlsFor(d.tls, address))
		if err := encrypted.HandshakeContext(ctx); err != nil {
			return nil, &DialError{
				Address: address, Stage: StageTLS, Err: err,
				suspicion: "does the listener speak TLS?", certificate: d.ownCertificate(time.Now()),
			}
		}
		conn = encrypted
	}
	conn = checkClaims(conn)
	// Kafka's handshake comes first even where kafka-go would skip it: with
	// TLS 1.3 a broker's refusal of our certificate shows only here.
	exchange := protocol.NewConn(conn, d.clientID)
	versions, err := negotiateVersions(exchange)
	if err != nil {
		return nil, &DialError{
			Address: address, Stage: StageHandshake, Err: err, suspicion: d.suspectTLS(), certificate: d.ownCertificate(time.Now()),
		}
	}
	begun := time.Now()
	lifetime, err := d.logIn(ctx, exchange, address)
	if err != nil {
		return nil, err
	}
	if !stop() {
		return nil, &DialError{Address: address, Stage: StageHandshake, Err: ctx.Err()}
	}
	if lifetime > 0 {
		return newSession(d, address, conn, versions, begun, lifetime), nil
	}
	return conn, nil
}

// ownCertificate says why the client's certificate is not valid now, "" if it is valid or
// there is none. Brokers refuse such a certificate without this reason.
func (d *dialer) ownCertificate(now time.Time) string {
	if d.tls == nil {
		return ""
	}
	for _, pair := range d.tls.Certificates {
		switch leaf := pair.Leaf; {
		case leaf == nil:
		case now.After(leaf.NotAfter):
			return "the client's certificate has expired on " + leaf.NotAfter.Format(time.DateOnly) + ": renew it"
		case now.Before(leaf.NotBefore):
			return "the client's certificate is valid only from " + leaf.NotBefore.Format(time.DateTime) + " on: wait, or set this machine's clock right"
		}
	}
	return ""
}

func (d *dialer) suspectTLS() string {
	if d.tls == nil {
		return "does the listener expect TLS?"
	}
	return ""
}

// logIn authenticates, and returns how long the session lasts, 0 for as long as the
// connection does. Without credentials it checks whether the listener requires some: such
// a listener hangs up at the second request.
func (d *dialer) logIn(ctx context.Context, conn *protocol.Conn, address string) (time.Duration, error) {
	if d.login != nil {
		lifetime, err := d.login.authenticate(ctx, conn, address)
		if err != nil {
			return 0, &DialError{Address: address, Stage: StageSASL, Err: err, remedy: d.login.remedy}
		}
		return lifetime, nil
	}
	if _, err := negotiateVersions(conn); err != nil {
		return 0, &DialError{
			Address: address, Stage: StageHandshake, Err: err,
			suspicion: "does the listener expect SASL authentication?",
		}
	}
	return 0, nil
}
