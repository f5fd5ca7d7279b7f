package dial

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// Search is the configuration with which the operator's pod resolves names that are not
// absolute. The zero Search is that of a machine without a cluster's DNS, and takes names
// as they are.
type Search struct {
	// domains is the search path.
	domains []string
	// own is the index in domains of the operator's namespace, -1 if there is none. In
	// pods of another namespace that namespace has the same index.
	own int
	// ndots is the number of dots from which on a name is first tried as it is.
	ndots int
	// cluster is the cluster's domain, "" if it is unknown.
	cluster string
}

// DefaultClusterDomain is the domain of a cluster unless its administrator chose another.
const DefaultClusterDomain = "cluster.local"

// ReadSearch reads a resolv.conf that the kubelet wrote for a pod.
func ReadSearch(conf io.Reader) (Search, error) {
	s := Search{own: -1, ndots: 1}
	lines := bufio.NewScanner(conf)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		switch {
		case len(fields) == 0:
		case fields[0] == "search":
			s.domains = nil
			for _, domain := range fields[1:] {
				s.domains = append(s.domains, clean(domain))
			}
		case fields[0] == "options":
			for _, option := range fields[1:] {
				if n, err := strconv.Atoi(strings.TrimPrefix(option, "ndots:")); err == nil && strings.HasPrefix(option, "ndots:") {
					s.ndots = n
				}
			}
		}
	}
	s.findCluster()
	return s, lines.Err()
}

// findCluster looks for the two entries that each pod with the cluster's DNS has:
// NAMESPACE.svc.DOMAIN and svc.DOMAIN.
func (s *Search) findCluster() {
	for i, domain := range s.domains {
		namespace, services, ok := strings.Cut(domain, ".")
		if !ok || namespace == "" || !strings.HasPrefix(services, "svc.") {
			continue
		}
		for _, other := range s.domains {
			if other == services {
				s.own, s.cluster = i, strings.TrimPrefix(services, "svc.")
				return
			}
		}
	}
}

// names returns, in order, the absolute names that a pod of the namespace tries for host.
// Without a cluster's DNS it returns the host unchanged.
func (s *Search) names(host, namespace string) []string {
	host = strings.ToLower(host)
	if strings.HasSuffix(host, ".") || s.own < 0 || len(s.domains) == 0 {
		return []string{host}
	}
	var searched []string
	for i, domain := range s.domains {
		if i == s.own {
			domain = namespace + ".svc." + s.cluster
		}
		searched = append(searched, host+"."+domain+".")
	}
	if strings.Count(host, ".") >= s.ndots {
		return append([]string{host + "."}, searched...)
	}
	return append(searched, host+".")
}

func clean(domain string) string { return strings.ToLower(strings.TrimSuffix(domain, ".")) }
