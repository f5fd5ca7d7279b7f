package main

import (
	"fmt"
	"net"
)

// workers are what a run works with: members of the consumer group in this
// process, or programs.
type workers struct {
	// statusURLs are where they tell how far they are.
	statusURLs []string
	// stop asks them to drain, kill ends them without; both may be called at
	// any time and more than once.
	stop, kill func()
	// done is closed when all have ended; err is set before.
	done chan struct{}
	err  error
}

// freeAddress returns an address of this machine that nobody listens on, for
// a worker's /status.
func freeAddress() (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	defer func() { _ = listener.Close() }()
	return listener.Addr().String(), nil
}

func statusURL(address string) string { return "http://" + address + "/status" }
