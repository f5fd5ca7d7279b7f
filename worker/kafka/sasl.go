package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/protocol"
	"github.com/segmentio/kafka-go/protocol/saslauthenticate"
	"github.com/segmentio/kafka-go/protocol/saslhandshake"
	"github.com/segmentio/kafka-go/sasl"
	"github.com/segmentio/kafka-go/sasl/plain"
	"github.com/segmentio/kafka-go/sasl/scram"
)

// mechanism returns kafka-go's implementation.
func (s *SASL) mechanism() (sasl.Mechanism, error) {
	switch s.Mechanism {
	case "PLAIN":
		return plain.Mechanism{Username: s.Username, Password: s.Password}, nil
	case "SCRAM-SHA-256":
		return s.scram(scram.SHA256)
	case "SCRAM-SHA-512":
		return s.scram(scram.SHA512)
	default:
		return nil, fmt.Errorf("SASL mechanism %q is not supported: use PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512", s.Mechanism)
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

// authenticate runs the mechanism's dialogue. The caller has bounded the
// connection's reads and writes.
func authenticate(ctx context.Context, conn *protocol.Conn, mechanism sasl.Mechanism) error {
	if err := offerMechanism(conn, mechanism.Name()); err != nil {
		return err
	}
	session, token, err := mechanism.Start(ctx)
	if err != nil {
		return err
	}
	for done := false; !done; {
		challenge, err := sendToken(conn, token)
		if err != nil {
			return err
		}
		if done, token, err = session.Next(ctx, challenge); err != nil {
			return err
		}
	}
	return nil
}

func offerMechanism(conn *protocol.Conn, name string) error {
	res, err := conn.RoundTrip(&saslhandshake.Request{Mechanism: name})
	if err != nil {
		return err
	}
	answer := res.(*saslhandshake.Response)
	if errors.Is(errorOf(answer.ErrorCode), kafkago.UnsupportedSASLMechanism) {
		slices.Sort(answer.Mechanisms)
		return fmt.Errorf("the broker offers %v, not %s: %w", answer.Mechanisms, name, kafkago.UnsupportedSASLMechanism)
	}
	return errorOf(answer.ErrorCode)
}

func sendToken(conn *protocol.Conn, token []byte) (challenge []byte, err error) {
	res, err := conn.RoundTrip(&saslauthenticate.Request{AuthBytes: token})
	if err != nil {
		return nil, err
	}
	answer := res.(*saslauthenticate.Response)
	if err := errorOf(answer.ErrorCode); err != nil {
		return nil, fmt.Errorf("%w: %s", err, answer.ErrorMessage)
	}
	return answer.AuthBytes, nil
}
