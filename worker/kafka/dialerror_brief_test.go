package kafka

import (
	"errors"
	"net"
	"strings"
	"testing"
)

// TestErrorsOfStrangersAreReduced to the stage and the kind of the failure: what an
// address answers that is not trusted appears in no message.
func TestErrorsOfStrangersAreReduced(t *testing.T) {
	const banner = "SSH-2.0-OpenSSH_9.6 and more than a Kafka broker ever says at this point"
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = listener.Close() }()
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_, _ = conn.Write([]byte(banner))
			_ = conn.Close()
		}
	}()
	address := listener.Addr().String()
	told := func(trusts func(string, net.Addr) bool) string {
		c := newTestClient(t, ClientConfig{BootstrapServers: []string{address}, Trusts: trusts})
		err := c.Ping(testContext(t))
		expectError(t, err, ErrUnreachable, address, "Kafka handshake failed")
		return err.Error()
	}
	for remote, trusted := range map[string]bool{"trusted": true, "stranger": false} {
		var asked string
		message := told(func(as string, remote net.Addr) bool {
			asked = as + " " + remote.String()
			return trusted
		})
		if brief := strings.Contains(message, "it does not answer as a Kafka broker does"); brief == trusted {
			t.Errorf("%s: %s", remote, message)
		}
		if asked != address+" "+address {
			t.Errorf("%s: asked about %s", remote, asked)
		}
	}
	failed := &DialError{Address: address, Stage: StageTLS, Err: errors.New(banner), brief: true}
	if !strings.Contains(inFull(failed), banner) || strings.Contains(failed.Error(), banner) {
		t.Errorf("the log has %q, the message is %q", inFull(failed), failed)
	}
}
