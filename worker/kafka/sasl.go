package kafka

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/saslauthenticate"
	"github.com/segmentio/kafka-go/protocol/saslhandshake"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// mechanism returns the implementation, for the client of cfg.
func (s *SASL) mechanism(cfg *ClientConfig) (sasl.Mechanism, error) {
	switch config.Mechanism(s.Mechanism) {
	case config.Plain:
		return plain.Mechanism{Username: s.Username, Password: s.Password}, nil
	case config.ScramSHA256:
		return s.scram(scram.SHA256)
	case config.ScramSHA512:
		return s.scram(scram.SHA512)
	case config.OAuthBearer:
		return s.OAuth.mechanism(cfg)
	case config.AWSMSKIAM:
		return s.AWS.mechanism()
	default:
		return nil, fmt.Errorf("SASL mechanism %q is not supported: use PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, "+
			"OAUTHBEARER or AWS_MSK_IAM", s.Mechanism)
	}
}

func (s *SASL) scram(algorithm scram.Algorithm) (sasl.Mechanism, error) {
	mechanism, err := scram.Mechanism(algorithm, s.Username, s.Password)
	if err != nil {
		// The library's error quotes the password.
		return nil, fmt.Errorf("SASL mechanism %s can't use this user name or password: one of them has characters that "+
			"SASLprep (RFC 4013) forbids, such as control characters and line breaks", s.Mechanism)
	}
	return mechanism, nil
}

// remedy returns the settings to check when the broker refuses the credentials.
func (s *SASL) remedy() string {
	switch config.Mechanism(s.Mechanism) {
	case config.OAuthBearer:
		return fmt.Sprintf("check that the broker accepts the tokens of %s: their issuer, audience and times", s.OAuth.source())
	case config.AWSMSKIAM:
		return "check that the IAM identity of this process may use kafka-cluster:Connect on the cluster, and the region " +
			s.AWS.Region
	default:
		return fmt.Sprintf("check the user name %q, the password and the mechanism", s.Username)
	}
}

// login authenticates connections.
type login struct {
	mechanism sasl.Mechanism
	remedy    string
}

func (s *SASL) login(cfg *ClientConfig) (*login, error) {
	mechanism, err := s.mechanism(cfg)
	if err != nil {
		return nil, err
	}
	return &login{mechanism: mechanism, remedy: s.remedy()}, nil
}

// authenticate runs the mechanism's dialogue on a connection to address, whose
// reads and writes the caller has bounded. It returns how long the broker lets the
// session last, 0 for as long as the connection does.
func (l *login) authenticate(ctx context.Context, conn *protocol.Conn, address string) (lifetime time.Duration, err error) {
	// The credentials come first: once the mechanism is offered, the broker takes
	// nothing but the dialogue.
	dialogue, token, err := l.mechanism.Start(withBroker(ctx, address))
	if err != nil {
		return 0, &credentialsError{err}
	}
	if err := offerMechanism(conn, l.mechanism.Name()); err != nil {
		return 0, err
	}
	for done := false; !done; {
		answer, err := sendToken(conn, token)
		if known, ok := dialogue.(explainer); ok && err != nil {
			err = known.explain(err)
		}
		if err != nil {
			return 0, err
		}
		lifetime = time.Duration(answer.SessionLifetimeMs) * time.Millisecond
		if done, token, err = dialogue.Next(ctx, answer.AuthBytes); err != nil {
			return 0, err
		}
	}
	return lifetime, nil
}

// explainer is a dialogue that can explain the error with which a broker ends it.
type explainer interface{ explain(error) error }

// withBroker passes the broker's address to the mechanism.
func withBroker(ctx context.Context, address string) context.Context {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		host = address
	}
	number, _ := strconv.Atoi(port) // no mechanism needs it
	return sasl.WithMetadata(ctx, &sasl.Metadata{Host: host, Port: number})
}

func offerMechanism(conn *protocol.Conn, name string) error {
	res, err := conn.RoundTrip(&saslhandshake.Request{Mechanism: name})
	if err != nil {
		return err
	}
	answer := res.(*saslhandshake.Response)
	if errors.Is(wire.ErrorOf(answer.ErrorCode), kafkago.UnsupportedSASLMechanism) {
		slices.Sort(answer.Mechanisms)
		return fmt.Errorf("the broker offers %v, not %s: %w", answer.Mechanisms, name, kafkago.UnsupportedSASLMechanism)
	}
	return wire.ErrorOf(answer.ErrorCode)
}

func sendToken(conn *protocol.Conn, token []byte) (*saslauthenticate.Response, error) {
	res, err := conn.RoundTrip(&saslauthenticate.Request{AuthBytes: token})
	if err != nil {
		return nil, err
	}
	answer := res.(*saslauthenticate.Response)
	if err := wire.ErrorOf(answer.ErrorCode); err != nil {
		return nil, fmt.Errorf("%w: %s", err, answer.ErrorMessage)
	}
	return answer, nil
}

// credentialsError says that there are no credentials to show to a broker.
type credentialsError struct{ err error }

func (e *credentialsError) Error() string { return e.err.Error() }

func (e *credentialsError) Unwrap() error { return e.err }

// permanent reports whether another attempt will fail until somebody changes the
// configuration.
func (e *credentialsError) permanent() bool {
	refused, ok := errors.AsType[interface {
		error
		Refused() bool
	}](e.err)
	return ok && refused.Refused()
}
