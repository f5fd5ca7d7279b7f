package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"time"

	"github.com/millrace-dev/millrace/controllers/dial"
)

// brokerNetwork returns the way to brokers: it resolves their names as this pod's cluster
// does, and refuses denied addresses. apiServer is the API server's address as in a
// kubeconfig.
func brokerNetwork(ctx context.Context, o *options, apiServer string) (dial.Network, error) {
	var network dial.Network
	conf, err := os.Open("/etc/resolv.conf")
	switch {
	case errors.Is(err, fs.ErrNotExist): // a machine without one
	case err != nil:
		return network, fmt.Errorf("read the resolver's configuration: %w", err)
	default:
		defer func() { _ = conf.Close() }()
		if network.Search, err = dial.ReadSearch(conf); err != nil {
			return network, fmt.Errorf("read the resolver's configuration: %w", err)
		}
	}
	if network.Policy, err = dial.NewPolicy(o.allowedBrokers, o.deniedBrokers); err != nil {
		return network, err
	}
	for _, address := range addressesOf(ctx, apiServer) {
		network.Policy.Deny(address)
	}
	return network, nil
}

// addressesOf returns the addresses of a URL, or of the host:port in in-cluster
// configurations. If the name can't be looked up, it returns none: then the operator
// does not reach the API server either.
func addressesOf(ctx context.Context, server string) []netip.AddrPort {
	parsed, err := url.Parse(server)
	if err != nil || parsed.Host == "" {
		if parsed, err = url.Parse("https://" + server); err != nil {
			return nil
		}
	}
	port := uint64(443)
	if p, err := strconv.ParseUint(parsed.Port(), 10, 16); err == nil {
		port = p
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	ips, err := net.DefaultResolver.LookupNetIP(ctx, "ip", parsed.Hostname())
	if err != nil {
		return nil
	}
	var addresses []netip.AddrPort
	for _, ip := range ips {
		addresses = append(addresses, netip.AddrPortFrom(ip.Unmap(), uint16(port)))
	}
	return addresses
}
