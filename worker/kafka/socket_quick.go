//go:build linux && !race

package kafka

import "net"

// quickSocket returns conn in the form that costs least.
func quickSocket(conn net.Conn) net.Conn { return newSocket(conn) }
