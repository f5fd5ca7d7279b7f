package kafka

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"

	kafkago "github.com/segmentio/kafka-go"
)

// DialError is a failed connection to a broker: the stage, the reason and a remedy.
type DialError struct {
	Address string // host:port
	Stage   Stage
	Err     error

	remedy      string // for credentials that are refused
	suspicion   string // what a connection that breaks at this point may mean
	certificate string // why the client's certificate is not valid now
	advertised  bool   // the cluster names this address, and the configuration does not
	brief       bool   // the message does not quote what the other end answers
}

// Stage is a step of setting up a connection.
type Stage string

// The stages, in their order.
const (
	StageConnect   Stage = "connect"
	StageTLS       Stage = "TLS handshake"
	StageHandshake Stage = "Kafka handshake"
	StageSASL      Stage = "SASL authentication"
)

// Error names the address, the stage, the reason and, where one is known, the
// remedy.
func (e *DialError) Error() string {
	if e.brief {
		return e.message(e.kind())
	}
	return e.message(reason(e.Err).Error())
}

func (e *DialError) message(reason string) string {
	msg := fmt.Sprintf("%s: %s failed: %s", e.Address, e.Stage, reason)
	if e.advertised {
		msg = fmt.Sprintf("%s, which a broker advertises: %s failed: %s", e.Address, e.Stage, reason)
	}
	if hint := e.hint(); hint != "" {
		msg += " (" + hint + ")"
	}
	return msg
}

// Unwrap returns the reason.
func (e *DialError) Unwrap() error { return e.Err }

// Permanent reports whether the same connection can't succeed later without a change of
// the configuration or the cluster.
func (e *DialError) Permanent() bool { return e.permanent() }

// permanent reports whether the same attempt will fail until somebody changes the
// configuration of either side, because certificates or credentials are refused.
func (e *DialError) permanent() bool {
	if e.Stage == StageSASL {
		if verdict, ok := errors.AsType[interface {
			error
			permanent() bool
		}](e.Err); ok {
			return verdict.permanent()
		}
		_, refused := errors.AsType[kafkago.Error](e.Err)
		return refused || !brokenConnection(e.Err)
	}
	return refusedByTLS(e.Err)
}

func (e *DialError) hint() string {
	switch e.Stage {
	case StageConnect:
		return e.connectHint()
	case StageSASL:
		return e.saslHint()
	default:
		return e.tlsHint()
	}
}

func (e *DialError) saslHint() string {
	if _, ok := errors.AsType[*credentialsError](e.Err); ok {
		return "" // it was not the broker that refused
	}
	if errors.Is(e.Err, kafkago.UnsupportedSASLMechanism) {
		return "use a mechanism that this listener offers"
	}
	if errors.Is(e.Err, kafkago.IllegalSASLState) {
		return "this listener does not authenticate clients: leave SASL out, or use the broker's port with SASL"
	}
	if timeout, ok := errors.AsType[net.Error](e.Err); ok && timeout.Timeout() {
		return "the broker takes too long to answer: is it just starting, or overloaded?"
	}
	return e.remedy
}

func (e *DialError) connectHint() string {
	if _, ok := errors.AsType[net.Error](e.Err); !ok {
		return "" // it was not tried
	}
	if e.advertised {
		return "the broker's advertised.listeners must name an address that this network can reach"
	}
	if _, ok := errors.AsType[*net.DNSError](e.Err); ok {
		return "check the host name"
	}
	return "is the broker running, and can this network reach it?"
}

func (e *DialError) tlsHint() string {
	if invalid, ok := errors.AsType[x509.CertificateInvalidError](e.Err); ok && invalid.Reason == x509.Expired {
		return "renew the broker's certificate, or set the clock of this machine right"
	}
	if _, ok := errors.AsType[x509.UnknownAuthorityError](e.Err); ok {
		return "the CA file does not hold the authority that signed the broker's certificate"
	}
	if _, ok := errors.AsType[x509.HostnameError](e.Err); ok {
		return serverNameHint
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](e.Err); ok {
		return "the listener does not speak TLS: turn TLS off, or use the broker's TLS port"
	}
	if alert, ok := alertOf(e.Err); ok {
		return cmp.Or(e.certificate, alertHints[alert], "the broker refused the client's certificate, or asks for one")
	}
	if brokenConnection(e.Err) {
		return e.suspicion
	}
	return ""
}

const serverNameHint = "set serverName, among the settings of TLS, to a name in the broker's certificate"

// alertHints explain the alerts of TLS that have one likely cause.
var alertHints = map[string]string{
	"tls: expired certificate":            "the client's certificate has expired",
	"tls: unknown certificate authority":  "the broker does not know the authority that signed the client's certificate",
	"tls: protocol version not supported": "the broker must offer TLS 1.2 or 1.3",
	"tls: unrecognized name":              serverNameHint,
}

// alertOf returns the alert with which the other side has ended a TLS connection. Alerts
// have no exported type.
func alertOf(err error) (string, bool) {
	op, ok := errors.AsType[*net.OpError](err)
	if !ok || op.Op != "remote error" {
		return "", false
	}
	return op.Err.Error(), true
}

// refusedByTLS reports whether one side does not accept the other's certificate
// or does not speak TLS at all.
func refusedByTLS(err error) bool {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		return true
	}
	_, alert := alertOf(err)
	return alert
}

// brokenConnection reports whether the network failed, and not the peer refused.
func brokenConnection(err error) bool {
	_, isNet := errors.AsType[net.Error](err)
	return isNet || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, net.ErrClosed)
}

// reason returns err without the parts that DialError adds: net's errors repeat the
// addresses.
func reason(err error) error {
	if own, ok := errors.AsType[*credentialsError](err); ok {
		return own // about another address, if any
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op != "remote error" {
		return op.Err
	}
	return err
}
