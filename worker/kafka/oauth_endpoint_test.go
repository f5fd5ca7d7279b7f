package kafka

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/kafka/kafkatest"
)

// idp is an OAuth 2.0 token endpoint.
type idp struct {
	*httptest.Server
	asked  atomic.Int64
	answer atomic.Pointer[http.HandlerFunc] // instead of a token
}

// newIDP gives tokens of the user dora to the client "worker" with the secret "s:cret".
func newIDP(t *testing.T, lifetime time.Duration) *idp {
	t.Helper()
	i := &idp{}
	i.Server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.asked.Add(1)
		if answer := i.answer.Load(); answer != nil {
			(*answer)(w, r)
			return
		}
		id, secret, _ := r.BasicAuth()
		w.Header().Set("Content-Type", "application/json")
		switch {
		case r.Method != http.MethodPost || r.FormValue("grant_type") != "client_credentials" || r.FormValue("scope") != "kafka all":
			w.WriteHeader(http.StatusBadRequest)
			_, _ = fmt.Fprint(w, `{"error": "invalid_request"}`)
		case id != "worker" || secret != url.QueryEscape("s:cret"):
			w.WriteHeader(http.StatusUnauthorized)
			_, _ = fmt.Fprint(w, `{"error": "invalid_client", "error_description": "unknown client\n<or> secret"}`)
		default:
			_, _ = fmt.Fprintf(w, `{"access_token": %q, "token_type": "bearer", "expires_in": %g}`,
				kafkatest.Token(t, "dora", lifetime), lifetime.Seconds())
		}
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *idp) answers(handler http.HandlerFunc) { i.answer.Store(&handler) }

func (i *idp) oauth() *OAuth {
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: i.Certificate().Raw})
	return &OAuth{TokenEndpoint: i.URL + "/token?key=hidden", ClientID: "worker", ClientSecret: "s:cret", Scope: "kafka all", CA: ca}
}

// TestTokenEndpoint goes from the configuration file to Kafka's acceptance.
func TestTokenEndpoint(t *testing.T) {
	broker := kafkatest.Apache(t, kafkatest.Tokens())
	i := newIDP(t, time.Hour)
	oauth := i.oauth()
	cfg, err := ConfigFrom(config.Kafka{
		BootstrapServers: broker.SecureAddrs(),
		SASL: &config.SASL{Mechanism: config.OAuthBearer, OAuth: &config.OAuth{
			TokenEndpoint: oauth.TokenEndpoint, ClientID: "worker", ClientSecretFile: writeFile(t, "s:cret\n"), Scope: "kafka all",
			CAFiles: []string{writeFile(t, string(oauth.CA))}, Extensions: map[string]string{"pool": "a"},
		}},
	}, "test")
	if err != nil {
		t.Fatal(err)
	}
	c, other := newTestClient(t, cfg), newTestClient(t, cfg)
	for range 3 {
		if err := c.Ping(testContext(t)); err != nil {
			t.Fatal(err)
		}
		c.transport.CloseIdleConnections()
	}
	if asked := i.asked.Load(); asked != 1 {
		t.Errorf("%d requests for a token, want one for all connections", asked)
	}

	i.answers(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) })
	err = other.Ping(testContext(t))
	expectError(t, err, ErrUnreachable, broker.SecureAddrs()[0], "SASL authentication failed: the token endpoint "+i.URL+"/token: ", "503 Service Unavailable")
	if !Retriable(err) || Refused(err) || strings.Contains(err.Error(), "hidden") {
		t.Errorf("%v is taken for a refusal, or shows a secret", err)
	}
	i.answer.Store(nil)
	eventually(t, func() bool { return other.Ping(testContext(t)) == nil })

	oauth.ClientSecret = "wrong"
	wrong := newTestClient(t, ClientConfig{BootstrapServers: broker.SecureAddrs(), SASL: &SASL{Mechanism: "OAUTHBEARER", OAuth: oauth}})
	expectError(t, pingQuickly(t, wrong), ErrUnreachable, "the token endpoint "+i.URL+"/token",
		"401 Unauthorized: invalid_client: unknown client <or> secret: check the client's id, secret and scope")
}

// TestTokenEndpointsErrors: each error has its reason, and lasts or may pass.
func TestTokenEndpointsErrors(t *testing.T) {
	i := newIDP(t, time.Hour)
	plain := func(status int, content string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "text/html")
			w.WriteHeader(status)
			_, _ = fmt.Fprint(w, content)
		}
	}
	for name, c := range map[string]struct {
		answer  http.HandlerFunc
		want    string
		refused bool
	}{
		"overloaded":          {plain(http.StatusTooManyRequests, "wait"), "429 Too Many Requests", false},
		"down behind a proxy": {plain(http.StatusBadGateway, "<html>"), "502 Bad Gateway", false},
		"down for a while":    {plain(http.StatusBadRequest, `{"error": "temporarily_unavailable"}`), "temporarily_unavailable", false},
		"scope":               {plain(http.StatusBadRequest, `{"error": "invalid_scope"}`), "invalid_scope: check the client's id, secret and scope", true},
		"elsewhere":           {plain(http.StatusNotFound, ""), "404 Not Found: check the URL", true},
		"redirect": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://elsewhere/", http.StatusFound)
		}, "a redirect, which is not followed", true},
		"web page":     {plain(http.StatusOK, "<html>"), `its answer is not JSON but "text/html"`, true},
		"no token":     {plain(http.StatusOK, `{}`), "its answer holds no access_token", true},
		"another type": {plain(http.StatusOK, `{"access_token": "a", "token_type": "mac"}`), "its tokens are not bearer tokens", true},
		"binary token": {plain(http.StatusOK, `{"access_token": "a\u0001b"}`), "characters that a bearer token can't have", true},
		"hangs up":     {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, "EOF", false},
	} {
		t.Run(name, func(t *testing.T) {
			i.answers(c.answer)
			endpoint, err := newTokenEndpoint(i.oauth(), &ClientConfig{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = endpoint.Token(testContext(t))
			expectError(t, err, nil, c.want)
			said, _ := errors.AsType[*refusal](err)
			if (said != nil) != c.refused || strings.Contains(err.Error(), "hidden") {
				t.Errorf("%v: refused %v, want %v, and no secret", err, said != nil, c.refused)
			}
		})
	}

	stranger := i.oauth()
	stranger.CA, _ = os.ReadFile(kafkatest.NewCA(t).File)
	endpoint, err := newTokenEndpoint(stranger, &ClientConfig{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err = endpoint.Token(testContext(t)); !(&credentialsError{err}).permanent() {
		t.Errorf("a certificate of another authority gives %v, want a refusal", err)
	}
	i.Close()
	endpoint, _ = newTokenEndpoint(i.oauth(), &ClientConfig{})
	if _, err = endpoint.Token(testContext(t)); err == nil || (&credentialsError{err}).permanent() || strings.Contains(err.Error(), "hidden") {
		t.Errorf("an endpoint that is down gives %v, want an error that passes", err)
	}
}

// TestTokenEndpointOfAStranger: the client's own dialler connects, and what an address
// answers that is not trusted appears in no error.
func TestTokenEndpointOfAStranger(t *testing.T) {
	i := newIDP(t, time.Hour)
	i.answers(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = fmt.Fprint(w, `{"error": "a secret of the network", "error_description": "more of it"}`)
	})
	var dialled, asked string
	cfg := &ClientConfig{
		Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
			dialled = address
			return new(net.Dialer).DialContext(ctx, network, address)
		},
		Trusts: func(address string, _ net.Addr) bool { asked = address; return false },
	}
	endpoint, err := newTokenEndpoint(i.oauth(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	_, err = endpoint.Token(testContext(t))
	expectError(t, err, nil, "400 Bad Request: an error: check the client's id")
	if strings.Contains(err.Error(), "secret of") || strings.Contains(err.Error(), "more") {
		t.Errorf("%v quotes a stranger", err)
	}
	if want := i.Listener.Addr().String(); dialled != want || asked != want {
		t.Errorf("dialled %q, asked about %q, want %q", dialled, asked, want)
	}
	stranger := server(t, func(conn net.Conn) { _, _ = conn.Write([]byte("SSH-2.0-OpenSSH_9.6\r\n")) })
	oauth := i.oauth()
	oauth.TokenEndpoint = "https://" + stranger
	if endpoint, err = newTokenEndpoint(oauth, cfg); err != nil {
		t.Fatal(err)
	}
	if _, err = endpoint.Token(testContext(t)); err == nil || strings.Contains(err.Error(), "SSH") {
		t.Errorf("got %v, want an error that quotes nothing", err)
	}
}

func TestTokensLifetime(t *testing.T) {
	i := newIDP(t, time.Hour)
	endpoint, err := newTokenEndpoint(i.oauth(), &ClientConfig{})
	if err != nil {
		t.Fatal(err)
	}
	for content, want := range map[string]time.Duration{
		`"expires_in": 60`:   time.Minute,
		`"expires_in": "60"`: time.Minute, // as Azure writes it
		`"expires_in": 0`:    0,           // the token itself says it
		`"scope": "kafka"`:   0,
	} {
		i.answers(func(w http.ResponseWriter, _ *http.Request) {
			_, _ = fmt.Fprintf(w, `{"access_token": "t", %s}`, content)
		})
		before := time.Now()
		token, err := endpoint.Token(testContext(t))
		if err != nil || token.Value != "t" {
			t.Fatalf("%s: %+v, %v", content, token, err)
		}
		if want == 0 && !token.Expires.IsZero() || want > 0 && (token.Expires.Before(before.Add(want)) || token.Expires.After(time.Now().Add(want))) {
			t.Errorf("%s: the token expires at %v", content, token.Expires)
		}
	}
	now := time.Now()
	for token, want := range map[string]time.Duration{
		kafkatest.Token(t, "dora", time.Hour): time.Hour,
		"opaque":                              opaqueLifetime,
		"a.b.c":                               opaqueLifetime,
		"a.e30.c":                             opaqueLifetime, // {}
	} {
		if got := expiryOf(token, now).Sub(now); got < want-time.Second || got > want+time.Second {
			t.Errorf("%s lasts %v, want %v", token, got, want)
		}
	}
}

func TestFileTokens(t *testing.T) {
	source := FileTokens(writeFile(t, "a.b.c\n"))
	if token, err := source.Token(context.Background()); err != nil || token.Value != "a.b.c" {
		t.Errorf("got %+v, %v", token, err)
	}
	for content, want := range map[string]string{"\n": "it is empty", "two words": "it holds something else than a token"} {
		_, err := FileTokens(writeFile(t, content)).Token(context.Background())
		expectError(t, err, nil, want)
	}
	_, err := FileTokens("/missing").Token(context.Background())
	expectError(t, err, os.ErrNotExist)
}
