package kafka

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/go-logr/logr"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
)

const (
	// tokenTimeout bounds one request for a token.
	tokenTimeout = 15 * time.Second
	// tokenPatience is how long a connection waits for a new token while the one
	// before is still valid.
	tokenPatience = 2 * time.Second
	// tokenMargin is the time that a token needs for its way to the broker.
	tokenMargin = 10 * time.Second
	// tokenFresh is the greatest age of a token that counts as fetched for a connection.
	tokenFresh = 10 * time.Second
	// opaqueLifetime is the lifetime of a token that does not contain one.
	opaqueLifetime = time.Minute
	// tokenPause is the longest wait between two requests that fail.
	tokenPause = 10 * time.Second
)

// tokenNews gets the failed requests for tokens.
type tokenNews struct {
	log    logr.Logger
	failed func() // may be nil
}

// tokenCache keeps a token for all connections. When a third of its lifetime is left, the
// next caller asks for another one. While the old one is valid, a source that is away or
// refuses stops nobody.
type tokenCache struct {
	source TokenSource
	news   tokenNews

	mu       sync.Mutex
	token    Token           // guarded by mu; no Value for none
	obtained time.Time       // guarded by mu
	asking   chan struct{}   // closed at the end of the request under way; nil for none; guarded by mu
	err      error           // of the last request; guarded by mu
	next     time.Time       // when to ask again; guarded by mu
	pause    backoff.Backoff // guarded by mu
}

func newTokenCache(source TokenSource, news tokenNews) *tokenCache {
	return &tokenCache{source: source, news: news, pause: backoff.Backoff{Initial: 100 * time.Millisecond, Max: tokenPause}}
}

// get returns a token that is valid.
func (c *tokenCache) get(ctx context.Context) (Token, error) {
	token, asking := c.known()
	if asking == nil {
		return token, c.errorWithout(token)
	}
	if token.Value == "" {
		select {
		case <-asking:
		case <-ctx.Done():
			return Token{}, fmt.Errorf("%s has given no token yet: %w", c.source, ctx.Err())
		}
	} else {
		ctx, cancel := context.WithTimeout(ctx, tokenPatience)
		defer cancel()
		select {
		case <-asking:
		case <-ctx.Done():
		}
	}
	token = c.valid()
	return token, c.errorWithout(token)
}

// known returns the token if it is valid. If another one would be better, it also returns
// the request under way, to wait for.
func (c *tokenCache) known() (Token, <-chan struct{}) {
	c.mu.Lock()
	defer c.mu.Unlock()
	now := time.Now()
	lifetime := c.token.Expires.Sub(c.obtained)
	if c.token.Value != "" && now.Before(c.obtained.Add(lifetime*2/3)) {
		return c.token, nil
	}
	if c.asking == nil && !now.Before(c.next) {
		c.asking = make(chan struct{})
		// The request continues if its caller gives up: others wait for it too.
		go c.ask()
	}
	if c.asking == nil {
		return c.usable(now), nil
	}
	return c.usable(now), c.asking
}

func (c *tokenCache) valid() Token {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.usable(time.Now())
}

// usable returns the token if it is still valid. Needs mu.
func (c *tokenCache) usable(now time.Time) Token {
	margin := min(tokenMargin, c.token.Expires.Sub(c.obtained)/10)
	if now.Before(c.token.Expires.Add(-margin)) {
		return c.token
	}
	return Token{}
}

// errorWithout returns the reason why there is no token.
func (c *tokenCache) errorWithout(token Token) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case token.Value != "":
		return nil
	case c.err != nil:
		return c.err
	default:
		return fmt.Errorf("%s gives tokens that are no longer valid: check its clock and this machine's", c.source)
	}
}

// ask asks the source once.
func (c *tokenCache) ask() {
	ctx, cancel := context.WithTimeout(context.Background(), tokenTimeout)
	defer cancel()
	token, err := c.source.Token(ctx)
	now := time.Now()
	if err == nil && token.Expires.IsZero() {
		token.Expires = expiryOf(token.Value, now)
	}
	if err == nil && !token.Expires.After(now) {
		err = fmt.Errorf("the token expired at %s", token.Expires.UTC().Format(time.RFC3339))
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	close(c.asking)
	c.asking = nil
	if err != nil {
		c.failed(fmt.Errorf("%s: %w", c.source, err), now)
		return
	}
	if c.err != nil {
		c.news.log.Info("there is a new token for Kafka again", "source", c.source.String())
	}
	c.token, c.obtained, c.err, c.next = token, now, nil, now.Add(time.Second)
	c.pause.Reset()
}

// failed notes an error; the log has the first one of several, and one of another
// kind. Needs mu.
func (c *tokenCache) failed(err error, now time.Time) {
	if c.err == nil || c.err.Error() != err.Error() {
		c.news.log.Info("could not get a token for Kafka; the one before stays in use while it is valid",
			"error", err.Error(), "validUntil", c.token.Expires)
	}
	if c.news.failed != nil {
		c.news.failed()
	}
	c.err, c.next = err, now.Add(c.pause.Next())
}

// refused drops a token that a broker does not accept, so that the next connection
// comes with another one. It reports whether the token is old: the broker may have
// accepted it before.
func (c *tokenCache) refused(token Token) (old bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.token != token {
		return true
	}
	old = time.Since(c.obtained) > tokenFresh
	c.token, c.next = Token{}, time.Time{}
	return old
}

// longestLifetime bounds the lifetime of a token, whatever it says. Greater numbers than
// these overflow.
const longestLifetime = 100 * 365 * 24 * time.Hour

// expiryOf reads when a JWT expires; it does not check the signature, which is the
// broker's to judge.
func expiryOf(token string, now time.Time) time.Time {
	var claims struct {
		Expires float64 `json:"exp"`
	}
	if parts := strings.Split(token, "."); len(parts) == 3 {
		if content, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(parts[1], "=")); err == nil {
			_ = json.Unmarshal(content, &claims) // it then has no expiry
		}
	}
	if claims.Expires <= 0 {
		return now.Add(opaqueLifetime)
	}
	longest := float64(now.Add(longestLifetime).Unix())
	return time.UnixMilli(int64(min(claims.Expires, longest) * 1000))
}
