package dial

import (
	"bufio"
	"io"
	"strconv"
	"strings"
)

// Search is how the operator's own pod resolves names that are not absolute. The
// zero Search is that of a machine without a cluster's DNS: names are taken as they
// are.
type Search struct {
	// domains is the search path.
	domains []string
	// own is the position in domains of the operator's namespace, -1 if the path has
	// none. Pods of another namespace have theirs there.
	own int
	// ndots is how many dots a name has that is first tried as it is.
	ndots int
	// cluster is the cluster's domain, "" if the path does not show it.
	cluster string
}

// DefaultClusterDomain is that of clusters whose administrator chose no other.
const DefaultClusterDomain = "cluster.local"

// ReadSearch reads a resolv.conf as the kubelet writes it for a pod.
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

// names returns the absolute names that a pod of the namespace tries for host, in
// their order. Without a cluster's DNS it is the name as it is.
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
