//go:build linux && !race

package kafka

import (
	"net"
	"os"
)

// plainSockets is the environment variable that, with the value "true", turns the
// system calls past the scheduler off, should they misbehave on some kernel or with
// a new version of Go (docs/decisions/0001-socket-calls.md).
const plainSockets = "KAFKA_PLAIN_SOCKETS"

// quickSocket returns conn as a socket, whose system calls cost less.
func quickSocket(conn net.Conn) net.Conn {
	if os.Getenv(plainSockets) == "true" {
		return conn
	}
	return newSocket(conn)
}
