package kafka

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"
	"testing"

	kafkago "github.com/segmentio/kafka-go"

	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

func TestErrorOf(t *testing.T) {
	if err := wire.ErrorOf(0); err != nil {
		t.Errorf("code 0: got %v, want nil", err)
	}
	if err := wire.ErrorOf(6); !errors.Is(err, kafkago.NotLeaderForPartition) {
		t.Errorf("code 6: got %v", err)
	}
}

func TestRetriable(t *testing.T) {
	refused := &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	badCertificate := &tls.CertificateVerificationError{Err: errTestRefused}
	for _, c := range []struct {
		name string
		err  error
		want bool
	}{
		{"nil", nil, false},
		{"moved leader", kafkago.NotLeaderForPartition, true},
		{"wrapped code", fmt.Errorf("fetch: %w", kafkago.LeaderNotAvailable), true},
		{"coordinator moved", kafkago.NotCoordinatorForGroup, true},
		{"id unknown to the transport", kafkago.BrokerNotAvailable, true},
		{"too large", kafkago.MessageSizeTooLarge, false},
		{"not authorised", TopicError("t", "Read", kafkago.TopicAuthorizationFailed), false},
		{"missing topic", TopicError("t", "Read", kafkago.UnknownTopicOrPartition), true},
		{"fenced", kafkago.ProducerFenced, false},
		{"cut connection", io.ErrUnexpectedEOF, true},
		{"closed connection", fmt.Errorf("read: %w", io.EOF), true},
		{"network", refused, true},
		{"deadline", context.DeadlineExceeded, true},
		{"cancelled", context.Canceled, false},
		{"refused dial", &DialError{Stage: StageConnect, Err: refused}, true},
		{"TLS interrupted", &DialError{Stage: StageTLS, Err: io.EOF}, true},
		{"TLS refused", &DialError{Stage: StageTLS, Err: badCertificate}, false},
		{"wrong password", &DialError{Stage: StageSASL, Err: kafkago.SASLAuthenticationFailed}, false},
		{"SASL interrupted", &DialError{Stage: StageSASL, Err: io.ErrUnexpectedEOF}, true},
		{"all servers refuse", &unreachableError{reasons: []error{
			&DialError{Stage: StageTLS, Err: badCertificate},
			&DialError{Stage: StageSASL, Err: kafkago.SASLAuthenticationFailed},
		}}, false},
		{"one server is only away", &unreachableError{reasons: []error{
			&DialError{Stage: StageTLS, Err: badCertificate},
			&DialError{Stage: StageConnect, Err: refused},
		}}, true},
		{"something else", errTestRefused, false},
	} {
		if got := Retriable(c.err); got != c.want {
			t.Errorf("%s (%v): got %v, want %v", c.name, c.err, got, c.want)
		}
	}
}

func TestTopicErrorsSayWhatToDo(t *testing.T) {
	for _, c := range []struct {
		code  kafkago.Error
		is    error
		parts []string
	}{
		{kafkago.UnknownTopicOrPartition, ErrTopicNotFound, []string{`topic "orders"`, "create it"}},
		{kafkago.TopicAuthorizationFailed, ErrNotAuthorized, []string{`topic "orders"`, "operation Write"}},
		{kafkago.ClusterAuthorizationFailed, ErrNotAuthorized, []string{`topic "orders"`, "operation Write on the cluster"}},
		{kafkago.InvalidTopic, kafkago.InvalidTopic, []string{`topic "orders"`, "at most 249"}},
		{kafkago.RequestTimedOut, kafkago.RequestTimedOut, []string{`topic "orders"`}},
	} {
		err := TopicError("orders", "Write", c.code)
		expectError(t, err, c.is, c.parts...)
		expectError(t, err, c.code)
	}
	err := GroupError("billing", kafkago.GroupAuthorizationFailed)
	expectError(t, err, ErrNotAuthorized, `group "billing"`, "operation Read")
	expectError(t, GroupError("billing", io.EOF), io.EOF, `group "billing"`)
}

// TestSlowBrokerIsNotAWrongPassword: the hint is about what to look at.
func TestSlowBrokerIsNotAWrongPassword(t *testing.T) {
	for want, err := range map[string]error{
		"too long to answer": &net.OpError{Op: "read", Err: os.ErrDeadlineExceeded},
		"the password":       kafkago.SASLAuthenticationFailed,
	} {
		if got := (&DialError{Address: "kafka:9092", Stage: StageSASL, Err: err, remedy: (&SASL{}).remedy()}).Error(); !strings.Contains(got, want) {
			t.Errorf("%q does not say %q", got, want)
		}
	}
}
