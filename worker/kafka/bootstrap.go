package kafka

import (
	"context"
	"math/rand/v2"
	"net"
	"slices"
)

// anyServer is the address of whichever server answers, for the transport: its own lists
// of addresses give up at the first one that hangs, report only the last failure, and
// contain only the configured servers.
type anyServer struct{}

// Network implements net.Addr; the transport hands it to the dialer.
func (anyServer) Network() string { return "any" }

// String implements net.Addr.
func (anyServer) String() string { return "bootstrap-servers" }

// dial is the transport's dial function. The address is a broker's, or anyServer for
// requests that any broker may answer.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if network == (anyServer{}).Network() {
		return d.dialAny(ctx)
	}
	return d.dialServer(ctx, address)
}

// dialAny connects to one of the bootstrap servers, in random order to spread the load.
// If all fail, it tries the brokers that the cluster has named since: a client outlives
// its bootstrap servers.
func (d *dialer) dialAny(ctx context.Context) (net.Conn, error) {
	candidates := slices.Clone(d.servers)
	rand.Shuffle(len(candidates), func(i, j int) {
		candidates[i], candidates[j] = candidates[j], candidates[i]
	})
	for _, address := range d.brokers.addresses() {
		if !slices.Contains(candidates, address) {
			candidates = append(candidates, address)
		}
	}
	failure := &unreachableError{}
	for _, address := range candidates {
		conn, err := d.dialServer(ctx, address)
		if err == nil {
			return conn, nil
		}
		failure.reasons = append(failure.reasons, err)
	}
	return nil, failure
}
