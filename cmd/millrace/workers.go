package main

import (
	"fmt"
	"net"
)

// workers are the members of the consumer group of a run: in this process, or in
// programs that the run starts.
type workers struct {
	// statusURLs are the addresses of their /status.
	statusURLs []string
	// stop asks them to drain, kill ends them without a drain. Callers may call both
	// at any time and more than once.
	stop, kill func()
	// done is closed when all have ended. err is set before.
	done chan struct{}
	err  error
}

// freeAddress returns a free address of this machine, for a worker's /status.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String(), nil
}

func statusURL(address string) string { return "http://" + address + "/status" }
