package kafka

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"
	"unicode"
)

// maxTokenAnswer bounds the answer of a token endpoint, in bytes.
const maxTokenAnswer = 256 << 10

// tokenEndpoint asks an OAuth 2.0 token endpoint for tokens, with the credentials of
// a client (RFC 6749, section 4.4).
type tokenEndpoint struct {
	oauth  *OAuth
	client *http.Client
	// brief says that errors must not quote the endpoint's answer, see
	// ClientConfig.Trusts; it is known once there is a connection.
	brief atomic.Bool
}

// newTokenEndpoint returns the source; it does not connect yet.
func newTokenEndpoint(o *OAuth, cfg *ClientConfig) (*tokenEndpoint, error) {
	parsed, err := url.Parse(o.TokenEndpoint)
	if err != nil || parsed.Scheme != "https" || parsed.Host == "" || parsed.User != nil {
		return nil, errors.New("the token endpoint is not an https URL such as https://login.example.com/oauth2/token")
	}
	roots, err := rootsOf(o.CA)
	if err != nil {
		return nil, fmt.Errorf("the token endpoint's authorities: %w", err)
	}
	e := &tokenEndpoint{oauth: o}
	e.client = &http.Client{
		Transport: &http.Transport{
			Proxy:             http.ProxyFromEnvironment,
			DialContext:       e.dialer(cfg),
			TLSClientConfig:   &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			ForceAttemptHTTP2: true,
			// The next request is an hour away.
			DisableKeepAlives: true,
		},
		// A redirect would show the client's secret to another server.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return e, nil
}

func (e *tokenEndpoint) dialer(cfg *ClientConfig) func(ctx context.Context, network, address string) (net.Conn, error) {
	dial := cfg.Dial
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	return func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		if err == nil && cfg.Trusts != nil {
			e.brief.Store(!cfg.Trusts(address, conn.RemoteAddr()))
		}
		return conn, err
	}
}

// String implements TokenSource. The query is left out: it may hold secrets.
func (e *tokenEndpoint) String() string {
	parsed, err := url.Parse(e.oauth.TokenEndpoint)
	if err != nil {
		return "the token endpoint"
	}
	return "the token endpoint " + (&url.URL{Scheme: parsed.Scheme, Host: parsed.Host, Path: parsed.Path}).String()
}

// Token implements TokenSource.
func (e *tokenEndpoint) Token(ctx context.Context) (Token, error) {
	form := url.Values{"grant_type": {"client_credentials"}}
	if e.oauth.Scope != "" {
		form.Set("scope", e.oauth.Scope)
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, e.oauth.TokenEndpoint, strings.NewReader(form.Encode()))
	if err != nil {
		return Token{}, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Accept", "application/json")
	req.SetBasicAuth(url.QueryEscape(e.oauth.ClientID), url.QueryEscape(e.oauth.ClientSecret))
	begun := time.Now()
	res, err := e.client.Do(req)
	if err != nil {
		return Token{}, e.unanswered(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(res.Body, maxTokenAnswer))
	if err != nil {
		return Token{}, fmt.Errorf("read its answer: %w", err)
	}
	return e.tokenFrom(res, body, begun)
}

// unanswered explains why there is no answer, without the URL, whose query may hold
// secrets.
func (e *tokenEndpoint) unanswered(err error) error {
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		err = wrapped.Err
	}
	refused := refusedByTLS(err)
	switch {
	case refused && e.brief.Load():
		return &refusal{errors.New("TLS handshake failed")}
	case refused:
		return &refusal{fmt.Errorf("%w (check the authorities that its certificate is checked against)", err)}
	case e.brief.Load() && !brokenConnection(err) && !errors.Is(err, context.DeadlineExceeded):
		return errors.New("it does not answer as a token endpoint does")
	}
	return err
}

// tokenAnswer is the answer of an endpoint (RFC 6749, sections 5.1 and 5.2).
type tokenAnswer struct {
	AccessToken string      `json:"access_token"`
	TokenType   string      `json:"token_type"`
	ExpiresIn   json.Number `json:"expires_in"`
	Error       string      `json:"error"`
	Description string      `json:"error_description"`
}

func (e *tokenEndpoint) tokenFrom(res *http.Response, body []byte, asked time.Time) (Token, error) {
	var answer tokenAnswer
	media, _, _ := mime.ParseMediaType(res.Header.Get("Content-Type"))
	malformed := json.Unmarshal(body, &answer)
	if e.brief.Load() {
		answer.Error, answer.Description, media = brieflyOf(answer.Error), "", "something else"
	}
	switch {
	case res.StatusCode != http.StatusOK || answer.Error != "":
		return Token{}, answer.problem(res)
	case malformed != nil:
		return Token{}, &refusal{fmt.Errorf("its answer is not JSON but %q: is this the token endpoint?", shortened(media))}
	case answer.AccessToken == "":
		return Token{}, &refusal{errors.New("its answer holds no access_token: is this the token endpoint?")}
	case answer.TokenType != "" && !strings.EqualFold(answer.TokenType, "Bearer"):
		return Token{}, &refusal{errors.New("its tokens are not bearer tokens, which Kafka takes only")}
	case strings.ContainsFunc(answer.AccessToken, notInToken):
		return Token{}, &refusal{errors.New("its access_token has characters that a bearer token can't have")}
	}
	token := Token{Value: answer.AccessToken}
	if seconds, err := answer.ExpiresIn.Float64(); err == nil && seconds > 0 {
		token.Expires = asked.Add(time.Duration(min(seconds, longestLifetime.Seconds()) * float64(time.Second)))
	}
	return token, nil
}

// brieflyOf returns an error code if it is one of the standard's.
func brieflyOf(code string) string {
	switch code {
	case "", "invalid_request", "invalid_client", "invalid_grant", "unauthorized_client", "invalid_scope",
		"temporarily_unavailable", "server_error", "slow_down":
		return code
	}
	return "an error"
}

// problem returns the endpoint's reason for a refusal, as an error that lasts or may
// pass.
func (a *tokenAnswer) problem(res *http.Response) error {
	reason := "it answers " + res.Status
	if a.Error != "" {
		reason += ": " + shortened(a.Error)
	}
	if a.Description != "" {
		reason += ": " + shortened(a.Description)
	}
	err := errors.New(reason)
	switch {
	case res.StatusCode >= 500, res.StatusCode == http.StatusTooManyRequests, res.StatusCode == http.StatusRequestTimeout,
		a.Error == "temporarily_unavailable", a.Error == "server_error", a.Error == "slow_down":
		return err
	case res.StatusCode >= 300 && res.StatusCode < 400:
		return &refusal{fmt.Errorf("%w, a redirect, which is not followed: name the URL that it leads to", err)}
	case res.StatusCode == http.StatusNotFound:
		return &refusal{fmt.Errorf("%w: check the URL", err)}
	default:
		return &refusal{fmt.Errorf("%w: check the client's id, secret and scope", err)}
	}
}

// refusal is an error in getting credentials that stays until somebody changes
// something.
type refusal struct{ err error }

func (e *refusal) Error() string { return e.err.Error() }

func (e *refusal) Unwrap() error { return e.err }

// Refused implements what TokenSource asks of errors.
func (e *refusal) Refused() bool { return true }

func notInToken(r rune) bool { return r <= ' ' || r > '~' }

// shortened returns the start of an endpoint's text, short enough for an error.
func shortened(text string) string {
	const enough = 200
	text = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, text)
	if len(text) > enough {
		return strings.ToValidUTF8(text[:enough], "") + "..."
	}
	return text
}
