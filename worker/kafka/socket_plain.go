//go:build !linux || race

package kafka

import "net"

// quickSocket returns conn as it is. The race detector must see the system calls: it
// takes a transfer over a connection for synchronization.
func quickSocket(conn net.Conn) net.Conn { return conn }
