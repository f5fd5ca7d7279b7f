package kafka

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// newTestClient returns a client that is closed with the test.
func newTestClient(t *testing.T, cfg ClientConfig) *Client {
	t.Helper()
	cfg.ClientID = "test"
	c, err := NewClient(cfg)
	if err != nil {
		t.Fatalf("NewClient: %v", err)
	}
	t.Cleanup(c.Close)
	return c
}

func clientOf(t *testing.T, servers ...string) *Client {
	t.Helper()
	return newTestClient(t, ClientConfig{BootstrapServers: servers})
}

// testContext ends long after anything in a test should have.
func testContext(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// expectError checks that err is what, and names all parts.
func expectError(t *testing.T, err, what error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatalf("got no error, want %v", what)
	}
	if what != nil && !errors.Is(err, what) {
		t.Errorf("got %v, want a %v", err, what)
	}
	for _, part := range parts {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("error %q does not say %q", err, part)
		}
	}
}

func TestBootstrapSkipsDeadServers(t *testing.T) {
	cluster := kafkatest.Fake(t)
	for range 10 { // the servers are tried in any order
		dead1, dead2 := kafkatest.UnusedAddr(t), kafkatest.UnusedAddr(t)
		c := clientOf(t, dead1, dead2, cluster.Addrs()[0])
		if err := c.Ping(testContext(t)); err != nil {
			t.Fatalf("Ping: %v", err)
		}
	}
}

func TestBootstrapSkipsServersThatHang(t *testing.T) {
	cluster := kafkatest.Fake(t)
	for range 4 {
		c := clientOf(t, hangingServer(t), cluster.Addrs()[0])
		c.dialer.timeout = 200 * time.Millisecond
		if err := c.Ping(testContext(t)); err != nil {
			t.Fatalf("Ping: %v", err)
		}
	}
}

// hangingServer accepts connections, reads and says nothing.
func hangingServer(t *testing.T) string {
	t.Helper()
	return server(t, func(conn net.Conn) { _, _ = io.Copy(io.Discard, conn) })
}

// server serves each connection with handle and then closes it.
func server(t *testing.T, handle func(net.Conn)) string {
	t.Helper()
	return listen(t, handle).Addr().String()
}

func listen(t *testing.T, handle func(net.Conn)) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("listen: %v", err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = conn.Close() }()
				handle(conn)
			}()
		}
	}()
	return listener
}

func TestUnreachableNamesEveryServerAndReason(t *testing.T) {
	dead, hanging := kafkatest.UnusedAddr(t), hangingServer(t)
	closing := server(t, func(net.Conn) {})
	c := clientOf(t, dead, hanging, closing)
	c.dialer.timeout = 300 * time.Millisecond

	start := time.Now()
	err := c.Ping(testContext(t))
	if took := time.Since(start); took > 10*time.Second {
		t.Errorf("Ping took %v", took)
	}
	expectError(t, err, ErrUnreachable,
		dead+": connect failed: connect: connection refused (is the broker running",
		hanging+": Kafka handshake failed: i/o timeout",
		closing+": Kafka handshake failed:", "(does the listener expect TLS?)")
	if !Retriable(err) {
		t.Errorf("not retriable, although each server may come back: %v", err)
	}
}

func TestUnreachableWithinTheCallersDeadline(t *testing.T) {
	hanging := hangingServer(t)
	c := clientOf(t, hanging)
	ctx, cancel := context.WithTimeout(context.Background(), 100*time.Millisecond)
	defer cancel()
	expectError(t, c.Ping(ctx), ErrUnreachable, hanging+": no answer: Metadata request: context deadline exceeded")
}

func TestUnreachableForEveryCall(t *testing.T) {
	dead := kafkatest.UnusedAddr(t)
	c := clientOf(t, dead)
	_, err := c.Partitions(testContext(t), "orders")
	expectError(t, err, ErrUnreachable, "orders", dead)
	_, err = c.leaders.leader(testContext(t), "orders", 0)
	expectError(t, err, ErrUnreachable, "orders", dead)
	_, err = c.ListOffsets(testContext(t), "orders", []int32{0}, Latest, "")
	expectError(t, err, ErrUnreachable, "orders", dead)
	expectError(t, c.CreateTopic(testContext(t), "orders", 1, 1), ErrUnreachable, "orders", dead)
}

func TestClientFindsAServerThatComesLate(t *testing.T) {
	addr := kafkatest.UnusedAddr(t)
	c := clientOf(t, addr)
	expectError(t, c.Ping(testContext(t)), ErrUnreachable)

	kafkatest.Fake(t, kfake.ListenFn(func(network, _ string) (net.Listener, error) {
		return net.Listen(network, addr)
	}), kfake.SeedTopics(3, "orders"))
	eventually(t, func() bool { return c.Ping(testContext(t)) == nil })
	if _, err := c.ListOffsets(testContext(t), "orders", []int32{0, 1, 2}, Latest, ""); err != nil {
		t.Errorf("ListOffsets: %v", err)
	}
}

// eventually waits for a condition.
func eventually(t *testing.T, condition func() bool) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(time.Minute); !condition(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatal("waited in vain")
		}
	}
}

func TestClusterStaysUsableWithoutItsBootstrapServers(t *testing.T) {
	cluster := kafkatest.Fake(t, kfake.NumBrokers(2), kfake.SeedTopics(4, "orders"))
	bootstrap := newProxy(t, cluster.Addrs()[0])
	c := clientOf(t, bootstrap.addr)
	if err := c.Ping(testContext(t)); err != nil {
		t.Fatalf("Ping: %v", err)
	}
	bootstrap.close()
	if count, err := c.Partitions(testContext(t), "orders"); err != nil || count != 4 {
		t.Errorf("got %d partitions, %v, want 4", count, err)
	}
	if _, err := c.ListOffsets(testContext(t), "orders", []int32{0, 1, 2, 3}, Latest, ""); err != nil {
		t.Errorf("ListOffsets: %v", err)
	}
}

// proxy passes connections on until it is closed.
type proxy struct {
	addr     string
	listener net.Listener

	mu     sync.Mutex
	closed bool
	conns  []net.Conn
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	p := &proxy{}
	p.listener = listen(t, func(conn net.Conn) {
		upstream, err := net.Dial("tcp", to)
		if err != nil || !p.keep(conn, upstream) {
			return
		}
		go func() { _, _ = io.Copy(upstream, conn) }()
		_, _ = io.Copy(conn, upstream)
	})
	p.addr = p.listener.Addr().String()
	t.Cleanup(p.close)
	return p
}

func (p *proxy) keep(conns ...net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, conns...)
	return !p.closed
}

func (p *proxy) close() {
	_ = p.listener.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, conn := range p.conns {
		_ = conn.Close()
	}
}

func TestNewClientRefusesBadConfigurations(t *testing.T) {
	for name, cfg := range map[string]ClientConfig{
		"bootstrapServers is empty":           {},
		`mechanism "GSSAPI" is not supported`: {BootstrapServers: []string{"a:1"}, SASL: &SASL{Mechanism: "GSSAPI"}},
		`"a:0"`:                               {BootstrapServers: []string{"a:0"}},
	} {
		_, err := NewClient(cfg)
		expectError(t, err, nil, name)
	}
}
