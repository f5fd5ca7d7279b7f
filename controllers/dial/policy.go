package dial

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// DeniedByDefault returns addresses that have no brokers, but that a user might want to
// reach through the operator: the loopback and its synonyms, link-local addresses, the
// metadata services of clouds, and multicast.
func DeniedByDefault() []string {
	return []string{
		"127.0.0.0/8", "::1/128", "0.0.0.0/8", "::/128",
		"169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "168.63.129.16/32", "100.100.100.200/32",
		"224.0.0.0/4", "ff00::/8",
	}
}

// Policy says which brokers the operator may connect to. A nil Policy allows all.
type Policy struct {
	allowed, denied []rule
}

// rule is one entry: a range of addresses or a name, with a port or without.
type rule struct {
	prefix netip.Prefix // the zero Prefix for a name
	name   string       // begins with a dot if it stands for all names below it
	port   uint16       // 0 for any
}

// NewPolicy returns a policy from two lists. Each entry is an address, a range such as
// 10.0.0.0/8, a name, or *.NAME for all names below it; all but ranges may have a port.
// An address on both lists is denied. An empty list of allowed brokers allows all that
// are not denied.
func NewPolicy(allowed, denied []string) (*Policy, error) {
	p := &Policy{}
	var errs []error
	for _, list := range []struct {
		entries []string
		rules   *[]rule
	}{{allowed, &p.allowed}, {denied, &p.denied}} {
		for _, entry := range list.entries {
			r, err := parseRule(entry)
			if err != nil {
				errs = append(errs, err)
				continue
			}
			*list.rules = append(*list.rules, r)
		}
	}
	return p, errors.Join(errs...)
}

// Deny adds an address to the denied ones.
func (p *Policy) Deny(address netip.AddrPort) {
	ip := address.Addr().Unmap()
	p.denied = append(p.denied, rule{prefix: netip.PrefixFrom(ip, ip.BitLen()), port: address.Port()})
}

func parseRule(entry string) (rule, error) {
	if prefix, err := netip.ParsePrefix(entry); err == nil {
		return rule{prefix: prefix.Masked()}, nil
	}
	host, port := entry, uint64(0)
	if h, p, err := net.SplitHostPort(entry); err == nil {
		if port, err = strconv.ParseUint(p, 10, 16); err != nil || port == 0 {
			return rule{}, fmt.Errorf("%q: the port has to be a number from 1 to 65535", entry)
		}
		host = h
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		ip = ip.Unmap()
		return rule{prefix: netip.PrefixFrom(ip, ip.BitLen()), port: uint16(port)}, nil
	}
	name := clean(host)
	if below, ok := strings.CutPrefix(name, "*."); ok {
		name = "." + below
	}
	if strings.Trim(name, ".") == "" || strings.ContainsAny(name, "*/:[] ,") {
		return rule{}, fmt.Errorf("%q is neither an address, a range such as 10.0.0.0/8, a name nor *.NAME", entry)
	}
	return rule{name: name, port: uint16(port)}, nil
}

// matches reports whether the rule covers the address, or one of the names that resolve
// to it.
func (r *rule) matches(names []string, address netip.AddrPort) bool {
	if r.port != 0 && r.port != address.Port() {
		return false
	}
	if r.prefix.IsValid() {
		return r.prefix.Contains(address.Addr())
	}
	return slices.ContainsFunc(names, func(name string) bool {
		name = clean(name)
		return name == r.name || strings.HasPrefix(r.name, ".") && strings.HasSuffix(name, r.name)
	})
}

func anyMatches(rules []rule, names []string, address netip.AddrPort) bool {
	address = netip.AddrPortFrom(embedded(address.Addr().Unmap().WithZone("")), address.Port())
	return slices.ContainsFunc(rules, func(r rule) bool { return r.matches(names, address) })
}

// nat64 is the range of addresses that a gateway translates into the IPv4 address in
// their last four bytes.
var nat64 = netip.MustParsePrefix("64:ff9b::/96")

func embedded(ip netip.Addr) netip.Addr {
	if !nat64.Contains(ip) {
		return ip
	}
	b := ip.As16()
	return netip.AddrFrom4([4]byte(b[12:]))
}

// RefusedError says that the operator's configuration denies an address.
type RefusedError struct {
	denied bool
}

// Error names the list to change. It does not show the address that the name resolves
// to.
func (e *RefusedError) Error() string {
	if e.denied {
		return "the operator may not connect there: the address is one of its denied brokers (the chart's kafka.deniedBrokers)"
	}
	return "the operator may not connect there: the address is not one of its allowed brokers (the chart's kafka.allowedBrokers)"
}

// check returns a RefusedError if the operator may not connect to the address.
func (p *Policy) check(names []string, address netip.AddrPort) error {
	switch {
	case p == nil:
		return nil
	case anyMatches(p.denied, names, address):
		return &RefusedError{denied: true}
	case len(p.allowed) > 0 && !anyMatches(p.allowed, names, address):
		return &RefusedError{}
	}
	return nil
}

// Allows reports whether the operator may connect to an address without a name.
func (p *Policy) Allows(address netip.AddrPort) bool { return p.check(nil, address) == nil }

// trusts reports whether the address is on the list of allowed brokers.
func (p *Policy) trusts(names []string, address netip.AddrPort) bool {
	return p == nil || anyMatches(p.allowed, names, address)
}
