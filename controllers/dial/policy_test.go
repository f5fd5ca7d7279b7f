package dial

import (
	"net/netip"
	"strings"
	"testing"
)

func policy(t *testing.T, allowed, denied []string) *Policy {
	t.Helper()
	p, err := NewPolicy(allowed, denied)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestPolicy(t *testing.T) {
	byDefault := DeniedByDefault()
	for _, test := range []struct {
		allowed, denied []string
		name, address   string
		refusal         string // in the error; "" if it is allowed
	}{
		{nil, byDefault, "", "10.0.0.1:9092", ""},
		{nil, byDefault, "kafka", "[2001:db8::1]:9092", ""},
		{nil, byDefault, "kafka", "127.0.0.1:9092", "deniedBrokers"},
		{nil, byDefault, "kafka", "[::1]:9092", "deniedBrokers"},
		{nil, byDefault, "kafka", "0.0.0.0:9092", "deniedBrokers"},
		{nil, byDefault, "kafka", "[::ffff:127.0.0.1]:9092", "deniedBrokers"},
		{nil, byDefault, "kafka", "169.254.169.254:80", "deniedBrokers"},
		{nil, byDefault, "kafka", "[64:ff9b::a9fe:a9fe]:80", "deniedBrokers"},
		{nil, byDefault, "kafka", "[fe80::1%eth0]:80", "deniedBrokers"},
		{nil, byDefault, "kafka", "[fd00:ec2::254]:80", "deniedBrokers"},
		{nil, nil, "kafka", "127.0.0.1:9092", ""},
		{nil, []string{"10.0.0.1:6443"}, "", "10.0.0.1:6443", "deniedBrokers"},
		{nil, []string{"10.0.0.1:6443"}, "", "10.0.0.1:9092", ""},
		{nil, []string{"vault.prod.svc.cluster.local"}, "vault.prod.svc.cluster.local.", "10.0.0.1:1", "deniedBrokers"},
		{[]string{"10.1.0.0/16"}, nil, "", "10.1.2.3:9092", ""},
		{[]string{"10.1.0.0/16"}, nil, "", "10.2.2.3:9092", "allowedBrokers"},
		{[]string{"10.1.0.0/16"}, []string{"10.1.2.3"}, "", "10.1.2.3:9092", "deniedBrokers"},
		{[]string{"*.example.com"}, nil, "b1.example.com.", "10.1.2.3:9092", ""},
		{[]string{"*.example.com:9093"}, nil, "b1.example.com.", "10.1.2.3:9092", "allowedBrokers"},
		{[]string{"*.example.com"}, nil, "example.com.evil.org.", "10.1.2.3:9092", "allowedBrokers"},
		{[]string{"*.example.com"}, nil, "notexample.com.", "10.1.2.3:9092", "allowedBrokers"},
		{[]string{"*.example.com"}, byDefault, "b1.example.com.", "169.254.169.254:80", "deniedBrokers"},
	} {
		err := policy(t, test.allowed, test.denied).check([]string{test.name}, netip.MustParseAddrPort(test.address))
		if (err == nil) != (test.refusal == "") || err != nil && !strings.Contains(err.Error(), test.refusal) {
			t.Errorf("allowed %q, denied %q: %s at %s: %v", test.allowed, test.denied, test.name, test.address, err)
		}
	}
}

func TestBadRules(t *testing.T) {
	_, err := NewPolicy([]string{"10.0.0.0/33", "a b"}, []string{"10.0.0.1:99999", "*.", "kafka*"})
	for _, entry := range []string{"10.0.0.0/33", "a b", "10.0.0.1:99999", "*.", "kafka*"} {
		if err == nil || !strings.Contains(err.Error(), `"`+entry+`"`) {
			t.Errorf("%v; want an error that names %q", err, entry)
		}
	}
}
