package dial

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// names is a DNS server. known maps each name to its address, or to "" if the look-up
// fails.
type names struct {
	mu    sync.Mutex
	known map[string]string // guarded by mu
	asked []string          // guarded by mu
}

func (n *names) bind(name, address string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.known[name] = address
}

func (n *names) askedFor(name string) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return slices.Contains(n.asked, name)
}

func (n *names) answer(q dnsmessage.Question) (dnsmessage.RCode, []dnsmessage.Resource) {
	n.mu.Lock()
	defer n.mu.Unlock()
	address, known := n.known[q.Name.String()]
	n.asked = append(n.asked, q.Name.String())
	switch {
	case !known:
		return dnsmessage.RCodeNameError, nil
	case address == "":
		return dnsmessage.RCodeServerFailure, nil
	case q.Type != dnsmessage.TypeA:
		return dnsmessage.RCodeSuccess, nil
	}
	return dnsmessage.RCodeSuccess, []dnsmessage.Resource{{
		Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 1},
		Body:   &dnsmessage.AResource{A: netip.MustParseAddr(address).As4()},
	}}
}

// serve starts the server and returns a resolver that uses no other server.
func (n *names) serve(t *testing.T) *net.Resolver {
	t.Helper()
	server, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = server.Close() })
	go func() {
		buf := make([]byte, 4096)
		for {
			size, from, err := server.ReadFrom(buf)
			if err != nil {
				return
			}
			var m dnsmessage.Message
			if m.Unpack(buf[:size]) != nil || len(m.Questions) == 0 {
				continue
			}
			m.Response, m.Additionals = true, nil
			m.RCode, m.Answers = n.answer(m.Questions[0])
			if out, err := m.Pack(); err == nil {
				_, _ = server.WriteTo(out, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

// listen opens a port of this machine and returns it.
func listen(t *testing.T) (port string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	_, port, _ = net.SplitHostPort(listener.Addr().String())
	return port
}

// try dials host from the namespace shop.
func try(t *testing.T, network Network, address string) error {
	t.Helper()
	d := &Dialer{Network: &network, Namespace: "shop"}
	conn, err := d.Dial(t.Context(), "tcp", address)
	if err == nil {
		_ = conn.Close()
	}
	return err
}

// TestDialAsAPodWould checks that a short name means the Service of the pods' namespace, even
// if the operator's namespace has a Service of that name too.
func TestDialAsAPodWould(t *testing.T) {
	port := listen(t)
	server := &names{known: map[string]string{
		"kafka.shop.svc.corp.internal.":            "127.0.0.1",
		"kafka.millrace-system.svc.corp.internal.": "127.0.0.3",
		"broker.example.com.":                      "127.0.0.1",
		"failing.shop.svc.corp.internal.":          "",
		"failing.svc.corp.internal.":               "127.0.0.1",
	}}
	network := Network{Search: search(t, operators), Resolver: server.serve(t)}
	for _, host := range []string{"kafka", "kafka.shop", "kafka.shop.svc", "kafka.shop.svc.corp.internal", "broker.example.com", "broker.example.com."} {
		if err := try(t, network, net.JoinHostPort(host, port)); err != nil {
			t.Errorf("%s: %v", host, err)
		}
	}
	if server.askedFor("kafka.millrace-system.svc.corp.internal.") {
		t.Error("the dialer looked the name up in the operator's namespace")
	}
	// The dialer tries no other name if this one may exist: that could be another broker.
	err := try(t, network, "failing:"+port)
	if failed, ok := errors.AsType[*net.DNSError](err); !ok || failed.IsNotFound || server.askedFor("failing.svc.corp.internal.") {
		t.Errorf("a look-up that fails: %v", err)
	}
}

// TestPolicyIsCheckedForEachConnection checks that the policy applies to the address of each
// connection, not to an address that a name resolved to before.
func TestPolicyIsCheckedForEachConnection(t *testing.T) {
	port := listen(t)
	server := &names{known: map[string]string{"kafka.example.com.": "127.0.0.1"}}
	network := Network{Resolver: server.serve(t), Policy: policy(t, nil, []string{"127.0.0.2"})}
	if err := try(t, network, "kafka.example.com.:"+port); err != nil {
		t.Errorf("before the name is bound to another address: %v", err)
	}
	server.bind("kafka.example.com.", "127.0.0.2")
	for _, host := range []string{"kafka.example.com.", "127.0.0.2", "[::ffff:127.0.0.2]"} {
		err := try(t, network, host+":"+port)
		if _, refused := errors.AsType[*RefusedError](err); !refused {
			t.Errorf("%s: %v", host, err)
		}
	}
	if err := try(t, Network{}, "127.0.0.1:"+port); err != nil {
		t.Errorf("without a policy: %v", err)
	}
}

// TestErrorsAreReduced checks that errors reveal nothing about an address, unless it is on
// the administrator's list of allowed brokers.
func TestErrorsAreReduced(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := closed.Addr().String()
	_ = closed.Close()
	strict, open := policy(t, nil, nil), policy(t, []string{"127.0.0.0/8"}, nil)
	if err := try(t, Network{Policy: strict}, address); err == nil || err.Error() != "it can't be connected to" {
		t.Errorf("an address that is not on the list: %v", err)
	}
	if err := try(t, Network{Policy: open}, address); err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("an allowed address: %v", err)
	}
	resolver := (&names{}).serve(t)
	if err := try(t, Network{Policy: strict, Resolver: resolver}, "kafka.:9092"); err == nil || err.Error() != "there is no such name" {
		t.Errorf("a name that does not exist: %v", err)
	}
	remote := net.TCPAddrFromAddrPort(netip.MustParseAddrPort("127.0.0.1:9092"))
	for p, want := range map[*Policy]bool{nil: true, strict: false, open: true} {
		d := &Dialer{Network: &Network{Policy: p}}
		if got := d.Trusts("kafka:9092", remote); got != want {
			t.Errorf("%+v trusts: %v", p, got)
		}
	}
}
