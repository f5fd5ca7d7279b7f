//go:build !linux || race

package kafka

import "net"

// quickSocket returns conn as it is. The race detector has to be told of system
// calls: it takes what goes through a connection for synchronization.
func quickSocket(conn net.Conn) net.Conn { return conn }
