package dial

import (
	"slices"
	"strings"
	"testing"
)

// operators is the resolv.conf of a pod in the namespace millrace-system.
const operators = `search millrace-system.svc.corp.internal svc.corp.internal corp.internal example.com
nameserver 10.96.0.10
options ndots:5
`

func search(t *testing.T, conf string) Search {
	t.Helper()
	s, err := ReadSearch(strings.NewReader(conf))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestNames checks the names that a pod of the namespace tries, and their order. The
// operator's namespace is not among them.
func TestNames(t *testing.T) {
	for _, test := range []struct {
		conf, host string
		want       []string
	}{
		{operators, "kafka", []string{
			"kafka.shop.svc.corp.internal.", "kafka.svc.corp.internal.", "kafka.corp.internal.", "kafka.example.com.", "kafka.",
		}},
		{operators, "Kafka.Prod", []string{
			"kafka.prod.shop.svc.corp.internal.", "kafka.prod.svc.corp.internal.", "kafka.prod.corp.internal.", "kafka.prod.example.com.", "kafka.prod.",
		}},
		{operators, "kafka.prod.svc.corp.internal.", []string{"kafka.prod.svc.corp.internal."}},
		{operators, "a.b.c.d.e.f", []string{
			"a.b.c.d.e.f.", "a.b.c.d.e.f.shop.svc.corp.internal.", "a.b.c.d.e.f.svc.corp.internal.", "a.b.c.d.e.f.corp.internal.", "a.b.c.d.e.f.example.com.",
		}},
		{"nameserver 10.0.0.2\nsearch example.com\n", "kafka", []string{"kafka"}},
		{"", "kafka", []string{"kafka"}},
	} {
		s := search(t, test.conf)
		if got := s.names(test.host, "shop"); !slices.Equal(got, test.want) {
			t.Errorf("%s with %q: %q, want %q", test.host, test.conf, got, test.want)
		}
	}
}

// TestSameServers checks whether two StreamProcessors name the same broker.
func TestSameServers(t *testing.T) {
	s := search(t, operators)
	for _, test := range []struct {
		a, in, b, of string
		same         bool
	}{
		{"kafka:9092", "shop", "kafka:9092", "shop", true},
		{"kafka:9092", "shop", "kafka:9092", "bank", false},
		{"kafka:9092", "shop", "kafka.shop:9092", "bank", true},
		{"kafka:9092", "shop", "Kafka.Shop.svc:9092", "bank", true},
		{"kafka:9092", "shop", "kafka.shop.svc.corp.internal:9092", "bank", true},
		{"kafka:9092", "shop", "kafka.shop.svc.corp.internal.:9092", "bank", true},
		{"kafka:9092", "shop", "kafka.shop.svc.cluster.local:9092", "bank", true},
		{"kafka-0.kafka:9092", "shop", "kafka-0.kafka.shop.svc:9092", "bank", true},
		{"kafka-0.kafka.shop:9092", "bank", "kafka-0.kafka.shop.svc.corp.internal:9092", "shop", true},
		{"kafka.prod:9092", "shop", "kafka.prod.svc:9092", "shop", true},
		{"kafka:9092", "shop", "kafka:9093", "shop", false},
		{"broker.example.com:9092", "shop", "BROKER.example.com.:9092", "bank", true},
		{"broker.example.com:9092", "shop", "other.example.com:9092", "shop", false},
		{"10.0.0.1:9092", "shop", "[::ffff:10.0.0.1]:9092", "bank", true},
		{"[fd00::1]:9092", "shop", "[FD00:0::1]:9092", "bank", true},
	} {
		if got := s.SameServers([]string{"x:1", test.a}, test.in, []string{test.b, "y:2"}, test.of); got != test.same {
			t.Errorf("%s in %s and %s in %s: same is %v", test.a, test.in, test.b, test.of, got)
		}
	}
}
