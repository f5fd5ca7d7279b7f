package main

import (
	"fmt"
	"net"
	"strconv"
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

// statusAddress returns the address for the /status of the i-th worker: that of the first
// one, with the port raised by i, or a free one if first is "".
func statusAddress(first string, i int) (string, error) {
	if first == "" {
		return freeAddress()
	}
	host, port, err := net.SplitHostPort(first)
	if err != nil {
		return "", err
	}
	number, err := strconv.Atoi(port)
	return net.JoinHostPort(host, strconv.Itoa(number+i)), err
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
