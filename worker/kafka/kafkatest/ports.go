package kafkatest

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// freePorts returns n free ports of the loopback. They are below the range from which
// systems take the ports of outgoing connections. It chooses at random, because other
// test processes look for ports at the same time.
func freePorts(tb testing.TB, n int) []int {
	tb.Helper()
	const first, count = 15000, 15000
	ports := make([]int, 0, n)
	for range 1000 {
		port := first + rand.IntN(count)
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			continue
		}
		// The listener stays open until all ports are found, so that none is found twice.
		defer func() { _ = listener.Close() }()
		if ports = append(ports, port); len(ports) == n {
			return ports
		}
	}
	tb.Fatalf("did not find %d free ports", n)
	return nil
}

// UnusedAddr returns an address of the loopback that refuses connections.
func UnusedAddr(tb testing.TB) string {
	tb.Helper()
	return fmt.Sprintf("127.0.0.1:%d", freePorts(tb, 1)[0])
}
