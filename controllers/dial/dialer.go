package dial

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"
)

// Network holds the settings that all connections of an operator share.
type Network struct {
	Search Search
	// Policy is nil if the operator may connect to all addresses.
	Policy *Policy
	// Resolver is nil for the default one of the machine.
	Resolver *net.Resolver
}

// Dialer connects to brokers as a pod of Namespace would. It is safe for concurrent
// use.
type Dialer struct {
	Network   *Network
	Namespace string
}

// Dial connects to host:port. It checks each address right before it connects to it, so
// that a name cannot evade the policy by resolving to another address later.
func (d *Dialer) Dial(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, fmt.Errorf("%s is not host:port: %w", address, err)
	}
	names := d.candidates(host)
	for i, name := range names {
		conn, err := d.dialName(ctx, network, name, port)
		// A pod tries the next name only if this one certainly does not exist.
		if missing, ok := errors.AsType[*net.DNSError](err); ok && missing.IsNotFound && i < len(names)-1 {
			continue
		}
		return conn, err
	}
	return nil, fmt.Errorf("%s: there is no name to try", address)
}

// candidates returns the names to try for a host. For an address that is the address
// itself.
func (d *Dialer) candidates(host string) []string {
	if _, err := netip.ParseAddr(host); err == nil {
		return []string{host}
	}
	return d.Network.Search.names(host, d.Namespace)
}

func (d *Dialer) dialName(ctx context.Context, network, name, port string) (net.Conn, error) {
	policy := d.Network.Policy
	var last netip.AddrPort // the last address that was tried
	dialer := net.Dialer{
		Resolver: d.Network.Resolver,
		// Addresses are tried one after another, so that only one call sets last.
		FallbackDelay: -1,
		ControlContext: func(_ context.Context, _, address string, _ syscall.RawConn) error {
			var err error
			if last, err = netip.ParseAddrPort(address); err != nil {
				return fmt.Errorf("connect to %s: %w", address, err)
			}
			return policy.check([]string{name}, last)
		},
	}
	conn, err := dialer.DialContext(ctx, network, net.JoinHostPort(name, port))
	if err == nil {
		return conn, nil
	}
	if refused, ok := errors.AsType[*RefusedError](err); ok {
		return nil, refused
	}
	if !policy.trusts([]string{name}, last) {
		return nil, reduce(err)
	}
	return nil, err
}

// Trusts reports whether errors may quote the answers of an address, because it is on the
// list of allowed brokers or there is no policy. address is the argument of Dial, remote
// the remote address of the connection.
func (d *Dialer) Trusts(address string, remote net.Addr) bool {
	if d.Network.Policy == nil {
		return true
	}
	to, err := netip.ParseAddrPort(remote.String())
	host, _, splitErr := net.SplitHostPort(address)
	return errors.Join(err, splitErr) == nil && d.Network.Policy.trusts(d.candidates(host), to)
}

// reducedError shows only the kind of an error. A user could map a network by the
// difference between a closed port and one that does not answer.
type reducedError struct {
	kind string
	err  error
}

func (e *reducedError) Error() string { return e.kind }

func (e *reducedError) Unwrap() error { return e.err }

func reduce(err error) error {
	if missing, ok := errors.AsType[*net.DNSError](err); ok {
		if missing.IsNotFound {
			return &reducedError{"there is no such name", err}
		}
		return &reducedError{"the name can't be looked up", err}
	}
	return &reducedError{"it can't be connected to", err}
}
