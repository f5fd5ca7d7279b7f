package dial

import (
	"net"
	"net/netip"
	"slices"
	"strings"
)

// Keys returns keys that identify a broker: two StreamProcessors that name the same broker
// have a key in common, in whichever form and namespace they name it. Keys looks up no
// name. An ambiguous name has a key for each of its meanings.
func (s *Search) Keys(server, namespace string) []string {
	host, port, err := net.SplitHostPort(server)
	if err != nil {
		host, port = server, ""
	}
	var keys []string
	for _, name := range s.meanings(host, namespace) {
		keys = append(keys, net.JoinHostPort(name, port))
	}
	return keys
}

// meanings returns the names that host may stand for in a pod of the namespace, without
// the cluster's domain. In that domain a Service is NAME.NAMESPACE.svc, and a pod of a
// headless Service is POD.NAME.NAMESPACE.svc, so longer names don't depend on the
// namespace.
func (s *Search) meanings(host, namespace string) []string {
	if ip, err := netip.ParseAddr(host); err == nil {
		return []string{ip.Unmap().String()}
	}
	absolute := strings.HasSuffix(host, ".")
	name := s.withoutDomain(clean(host))
	labels := strings.Count(name, ".") + 1
	if absolute || labels > 3 || strings.HasSuffix(name, ".svc") {
		return []string{name}
	}
	var names []string
	if labels <= 2 {
		names = append(names, name+"."+namespace+".svc")
	}
	if labels >= 2 {
		names = append(names, name+".svc", name)
	}
	return names
}

// withoutDomain removes the cluster's domain from a name.
func (s *Search) withoutDomain(name string) string {
	for _, domain := range []string{s.cluster, DefaultClusterDomain} {
		if short, ok := strings.CutSuffix(name, ".svc."+domain); ok && domain != "" {
			return short + ".svc"
		}
	}
	return name
}

// SameServers reports whether two lists name a broker in common.
func (s *Search) SameServers(a []string, namespaceA string, b []string, namespaceB string) bool {
	var keys []string
	for _, server := range a {
		keys = append(keys, s.Keys(server, namespaceA)...)
	}
	for _, server := range b {
		if slices.ContainsFunc(s.Keys(server, namespaceB), func(key string) bool { return slices.Contains(keys, key) }) {
			return true
		}
	}
	return false
}
