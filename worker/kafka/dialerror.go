package kafka

import (
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

	remedy    string // for credentials that are refused
	suspicion string // what a connection that breaks at this point may mean
	brief     bool   // the message does not quote what the other end answers
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
		return connectHint(e.Err)
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
	if timeout, ok := errors.AsType[net.Error](e.Err); ok && timeout.Timeout() {
		return "the broker takes too long to answer: is it just starting, or overloaded?"
	}
	return e.remedy
}

func connectHint(err error) string {
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return "check the host name"
	}
	if _, ok := errors.AsType[net.Error](err); !ok {
		return "" // it was not tried
	}
	return "is the broker running, and can this network reach it?"
}

func (e *DialError) tlsHint() string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](e.Err); ok {
		return "the CA file does not hold the authority that signed the broker's certificate"
	}
	if _, ok := errors.AsType[x509.HostnameError](e.Err); ok {
		return "set the TLS server name to a name in the broker's certificate"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](e.Err); ok {
		return "the listener does not speak TLS: turn TLS off, or use the broker's TLS port"
	}
	if refusedByTLS(e.Err) {
		return "the broker refused the client's certificate, or asks for one"
	}
	if brokenConnection(e.Err) {
		return e.suspicion
	}
	return ""
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
	// The alert of the other side has no exported type.
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error"
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
