//go:build linux && !race

package kafka

import (
	"net"
	"testing"

	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

func TestBrokersAreReachedThroughSockets(t *testing.T) {
	if _, ok := dialed(t).(*socket); !ok {
		t.Errorf("the connection is a %T", dialed(t))
	}
}

// TestPlainSockets turns the quick sockets off.
func TestPlainSockets(t *testing.T) {
	t.Setenv(plainSockets, "true")
	if _, ok := dialed(t).(*net.TCPConn); !ok {
		t.Errorf("the connection is a %T", dialed(t))
	}
}

// dialed returns a connection to a broker.
func dialed(t *testing.T) net.Conn {
	t.Helper()
	address := kafkatest.Fake(t).Addrs()[0]
	conn, err := clientOf(t, address).dialer.dialServer(testContext(t), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn.(*claimsConn).Conn
}
