package kafka

import (
	"context"
	"math/rand/v2"
	"net"
	"slices"
)

// anyServer is the address of whichever server answers, for the transport: its
// own lists of addresses give up at the first that hangs, tell the last failure
// only, and end with the servers that were configured.
type anyServer struct{}

// Network implements net.Addr; the transport hands it to the dialer.
func (anyServer) Network() string { return "any" }

// String implements net.Addr.
func (anyServer) String() string { return "bootstrap-servers" }

// dial is what the transport calls: for a broker with its address, and for
// requests that any broker may answer with anyServer.
func (d *dialer) dial(ctx context.Context, network, address string) (net.Conn, error) {
	if network == (anyServer{}).Network() {
		return d.dialAny(ctx)
	}
	return d.dialServer(ctx, address)
}

// dialAny connects to a bootstrap server, tried in random order to spread the
// load, or else to a broker that the cluster has named since: it stays usable
// when its bootstrap servers have gone.
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
