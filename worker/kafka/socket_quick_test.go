//go:build linux && !race

package kafka

import (
	"testing"

	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

func TestBrokersAreReachedThroughSockets(t *testing.T) {
	address := kafkatest.Fake(t).Addrs()[0]
	conn, err := clientOf(t, address).dialer.dialServer(testContext(t), address)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	if _, ok := conn.(*socket); !ok {
		t.Errorf("the connection is a %T", conn)
	}
}
