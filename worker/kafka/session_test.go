package kafka

import (
	"context"
	"errors"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	kafkago "github.com/segmentio/kafka-go"
	"github.com/segmentio/kafka-go/sasl"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// tokensOf gives unsecured tokens of a user.
type tokensOf struct {
	t        *testing.T
	user     atomic.Pointer[string]
	lifetime time.Duration
	err      atomic.Pointer[error]
	given    atomic.Int64
}

func newTokens(t *testing.T, user string, lifetime time.Duration) *tokensOf {
	s := &tokensOf{t: t, lifetime: lifetime}
	s.user.Store(&user)
	return s
}

func (s *tokensOf) Token(context.Context) (Token, error) {
	if err := s.err.Load(); err != nil && *err != nil {
		return Token{}, *err
	}
	s.given.Add(1)
	return Token{Value: kafkatest.Token(s.t, *s.user.Load(), s.lifetime)}, nil
}

func (s *tokensOf) String() string { return "the test's tokens" }

// watchedConns counts the connections of a client, and those that the other side has
// closed.
type watchedConns struct {
	opened, cut atomic.Int64
}

type watchedConn struct {
	net.Conn
	watch *watchedConns
}

func (c watchedConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	if errors.Is(err, io.EOF) || brokenConnection(err) && !errors.Is(err, net.ErrClosed) {
		c.watch.cut.Add(1)
	}
	return n, err
}

func watchConns(c *Client) *watchedConns {
	w := &watchedConns{}
	connect := c.dialer.connect
	c.dialer.connect = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := connect(ctx, network, address)
		if err != nil {
			return nil, err
		}
		w.opened.Add(1)
		return watchedConn{conn, w}, nil
	}
	return w
}

// countedLogins counts how often the credentials are shown.
type countedLogins struct {
	sasl.Mechanism
	count atomic.Int64
}

func (m *countedLogins) Start(ctx context.Context) (sasl.StateMachine, []byte, error) {
	m.count.Add(1)
	return m.Mechanism.Start(ctx)
}

func countLogins(c *Client) *countedLogins {
	m := &countedLogins{Mechanism: c.dialer.login.mechanism}
	c.dialer.login.mechanism = m
	return m
}

// sessionLength is what the brokers below allow.
const sessionLength = 4 * time.Second

// TestSessionsAreRenewedOnTheirConnections: connections outlive their sessions, and
// no request notices.
func TestSessionsAreRenewedOnTheirConnections(t *testing.T) {
	broker := kafkatest.Apache(t, kafkatest.TLS(), kafkatest.Users(alice, bob, carol), kafkatest.Tokens(),
		kafkatest.Reauthenticate(sessionLength))
	broker.CreateTopic("orders", 1, nil)
	files := config.TLS{CAFiles: []string{broker.CA.File}}
	for _, s := range []*SASL{
		credentials(alice), credentials(bob), credentials(carol),
		{Mechanism: "OAUTHBEARER", OAuth: &OAuth{Tokens: newTokens(t, "dora", time.Hour), Extensions: map[string]string{"pool": "a b"}}},
		// Tokens that end before the sessions do.
		{Mechanism: "OAUTHBEARER", OAuth: &OAuth{Tokens: newTokens(t, "emma", sessionLength*3/4)}},
	} {
		t.Run(s.Mechanism, func(t *testing.T) {
			t.Parallel()
			c := newTestClient(t, ClientConfig{BootstrapServers: broker.SecureAddrs(), TLS: tlsOf(t, files), SASL: s})
			conns, logins := watchConns(c), countLogins(c)
			ask := func() {
				t.Helper()
				if err := c.Ping(testContext(t)); err != nil {
					t.Fatalf("Ping: %v", err)
				}
				if _, err := c.ListOffsets(testContext(t), "orders", []int32{0}, Latest, config.ReadCommitted); err != nil {
					t.Fatalf("ListOffsets: %v", err)
				}
			}
			for ask(); logins.count.Load() < conns.opened.Load()+5; ask() {
				time.Sleep(20 * time.Millisecond)
			}
			if cut := conns.cut.Load(); cut > 0 {
				t.Errorf("the broker has closed %d of %d connections", cut, conns.opened.Load())
			}
			// A connection that nobody has used until its session was over.
			idle := logins.count.Load()
			time.Sleep(sessionLength + 500*time.Millisecond)
			ask()
			if logins.count.Load() == idle {
				t.Error("an idle connection was used without a new session")
			}
			if cut := conns.cut.Load(); cut > 0 {
				t.Errorf("the broker has closed %d of %d connections", cut, conns.opened.Load())
			}
		})
	}
}

// TestSessionMovesToAnotherConnection: a broker takes no other user on a connection
// than the one it began with, and closes it.
func TestSessionMovesToAnotherConnection(t *testing.T) {
	broker := kafkatest.Apache(t, kafkatest.Tokens(), kafkatest.Reauthenticate(sessionLength))
	tokens := newTokens(t, "first", sessionLength)
	c := newTestClient(t, ClientConfig{
		BootstrapServers: broker.SecureAddrs(),
		SASL:             &SASL{Mechanism: "OAUTHBEARER", OAuth: &OAuth{Tokens: tokens}},
	})
	conns := watchConns(c)
	if err := c.Ping(testContext(t)); err != nil {
		t.Fatal(err)
	}
	opened, second := conns.opened.Load(), "second"
	tokens.user.Store(&second)
	for conns.opened.Load() == opened {
		if err := c.Ping(testContext(t)); err != nil {
			t.Fatalf("a request fails since the user has changed: %v", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// TestSessionOutlastsASourceOfTokens: while a token is valid, nothing depends on where
// it came from; then the error names the source, and may pass.
func TestSessionOutlastsASourceOfTokens(t *testing.T) {
	broker := kafkatest.Apache(t, kafkatest.Tokens(), kafkatest.Reauthenticate(time.Hour))
	tokens := newTokens(t, "dora", 8*time.Second)
	var failures atomic.Int64
	c := newTestClient(t, ClientConfig{
		BootstrapServers: broker.SecureAddrs(), TokenFailed: func() { failures.Add(1) },
		SASL: &SASL{Mechanism: "OAUTHBEARER", OAuth: &OAuth{Tokens: tokens}},
	})
	conns := watchConns(c)
	if err := c.Ping(testContext(t)); err != nil {
		t.Fatal(err)
	}
	away := error(&net.OpError{Op: "dial", Err: errors.New("the source is away")})
	tokens.err.Store(&away)
	var err error
	for failures.Load() == 0 {
		if err = c.Ping(testContext(t)); err != nil {
			t.Fatalf("a request fails before the session ends: %v", err)
		}
		time.Sleep(20 * time.Millisecond)
	}
	eventually(t, func() bool { err = c.Ping(testContext(t)); return err != nil })
	expectError(t, err, nil, "SASL authentication failed", "the test's tokens", "the source is away")
	if !Retriable(err) || Refused(err) {
		t.Errorf("%v is taken for a refusal", err)
	}
	if conns.cut.Load() > 0 {
		t.Error("the broker has closed a connection")
	}
	tokens.err.Store(new(error))
	eventually(t, func() bool { return c.Ping(testContext(t)) == nil })
}

// TestRefusedTokens are fatal when the broker has never accepted one.
func TestRefusedTokens(t *testing.T) {
	broker := kafkatest.Apache(t, kafkatest.Tokens())
	tokens := newTokens(t, "dora", time.Hour)
	tokens.lifetime = -time.Hour
	source := expiringLater{tokens}
	c := newTestClient(t, ClientConfig{
		BootstrapServers: broker.SecureAddrs(),
		SASL:             &SASL{Mechanism: "OAUTHBEARER", OAuth: &OAuth{Tokens: source}},
	})
	err := pingQuickly(t, c)
	expectError(t, err, kafkago.SASLAuthenticationFailed, broker.SecureAddrs()[0], "SASL authentication failed",
		"the broker refuses the token", "check that the broker accepts the tokens of the test's tokens")
}

// expiringLater says of a token that it is valid.
type expiringLater struct{ *tokensOf }

func (s expiringLater) Token(ctx context.Context) (Token, error) {
	token, err := s.tokensOf.Token(ctx)
	token.Expires = time.Now().Add(time.Hour)
	return token, err
}
