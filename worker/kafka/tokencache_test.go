package kafka

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"

	"github.com/millrace-dev/millrace/worker/internal/backoff"
	"github.com/millrace-dev/millrace/worker/internal/kafka/wire"
)

// scriptedTokens answers with what the test says.
type scriptedTokens struct {
	asked  atomic.Int64
	answer func(ctx context.Context) (Token, error)
}

func (s *scriptedTokens) Token(ctx context.Context) (Token, error) {
	s.asked.Add(1)
	return s.answer(ctx)
}

func (s *scriptedTokens) String() string { return "the script" }

func TestTokenCacheAsksOnceForAll(t *testing.T) {
	release := make(chan struct{})
	source := &scriptedTokens{answer: func(context.Context) (Token, error) {
		<-release
		return Token{Value: "a", Expires: time.Now().Add(time.Hour)}, nil
	}}
	cache := newTokenCache(source, tokenNews{})
	impatient, cancel := context.WithCancel(context.Background())
	cancel()
	_, err := cache.get(impatient)
	expectError(t, err, context.Canceled, "the script has given no token yet")
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if token, err := cache.get(testContext(t)); err != nil || token.Value != "a" {
				t.Errorf("got %+v, %v", token, err)
			}
		})
	}
	close(release)
	all.Wait()
	if asked := source.asked.Load(); asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

// TestTokenCacheKeepsWhatIsValid: a token is renewed before its end; a source that
// hangs or fails then holds up nobody, and the log and the counter show it.
func TestTokenCacheKeepsWhatIsValid(t *testing.T) {
	var failure error
	source := &scriptedTokens{}
	source.answer = func(context.Context) (Token, error) {
		return Token{Value: "first", Expires: time.Now().Add(time.Hour)}, failure
	}
	var lines []string
	var failures atomic.Int64
	log := funcr.New(func(_, args string) { lines = append(lines, args) }, funcr.Options{})
	cache := newTokenCache(source, tokenNews{log, func() { failures.Add(1) }})
	get := func() string {
		t.Helper()
		token, err := cache.get(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		return token.Value
	}
	age := func(d time.Duration) {
		cache.mu.Lock()
		defer cache.mu.Unlock()
		cache.obtained, cache.token.Expires, cache.next = cache.obtained.Add(-d), cache.token.Expires.Add(-d), time.Time{}
	}
	get()
	age(35 * time.Minute)
	if get(); source.asked.Load() != 1 {
		t.Errorf("asked %d times in the first half of the lifetime", source.asked.Load())
	}
	age(15 * time.Minute)
	failure = errors.New("out of order")
	for range 3 {
		if got := get(); got != "first" {
			t.Errorf("got %q", got)
		}
		age(0)
	}
	if failures.Load() != 3 || len(lines) != 1 || !strings.Contains(lines[0], "the script: out of order") {
		t.Errorf("%d failures counted, and logged %q, want 3 and one line", failures.Load(), lines)
	}
	age(10 * time.Minute)
	if _, err := cache.get(testContext(t)); err == nil || !strings.Contains(err.Error(), "the script: out of order") {
		t.Errorf("the token has expired, and the error is %v", err)
	}
	failure = nil
	source.answer = func(context.Context) (Token, error) {
		return Token{Value: "second", Expires: time.Now().Add(time.Hour)}, nil
	}
	age(0)
	if got := get(); got != "second" || len(lines) != 2 {
		t.Errorf("got %q, and logged %q", got, lines)
	}
}

// TestTokenCacheSparesASourceThatFails: connections come by the hundred, and requests
// for tokens don't.
func TestTokenCacheSparesASourceThatFails(t *testing.T) {
	source := &scriptedTokens{answer: func(context.Context) (Token, error) { return Token{}, errTestRefused }}
	cache := newTokenCache(source, tokenNews{})
	cache.pause = backoff.Backoff{Initial: time.Hour, Max: time.Hour}
	for range 100 {
		if _, err := cache.get(testContext(t)); !errors.Is(err, errTestRefused) {
			t.Fatalf("got %v", err)
		}
	}
	if asked := source.asked.Load(); asked != 1 {
		t.Errorf("asked %d times", asked)
	}
}

func TestTokenCacheRefusesWhatHasExpired(t *testing.T) {
	source := &scriptedTokens{answer: func(context.Context) (Token, error) {
		return Token{Value: "old", Expires: time.Now().Add(-time.Hour)}, nil
	}}
	_, err := newTokenCache(source, tokenNews{}).get(testContext(t))
	expectError(t, err, nil, "the script: the token expired at ")
}

// TestTokenCacheDropsWhatABrokerRefuses: a token that was good once may have been
// revoked, so another one is tried before the worker gives up.
func TestTokenCacheDropsWhatABrokerRefuses(t *testing.T) {
	source := &scriptedTokens{}
	source.answer = func(context.Context) (Token, error) {
		return Token{Value: strings.Repeat("x", int(source.asked.Load())), Expires: time.Now().Add(time.Hour)}, nil
	}
	cache := newTokenCache(source, tokenNews{})
	mechanism := &oauthBearer{tokens: cache}
	refusal := func(old time.Duration) error {
		cache.mu.Lock()
		cache.obtained = cache.obtained.Add(-old)
		cache.mu.Unlock()
		dialogue, _, err := mechanism.Start(testContext(t))
		if err != nil {
			t.Fatal(err)
		}
		done, answer, err := dialogue.Next(testContext(t), []byte(`{"status":"invalid_token"}`))
		if done || string(answer) != "\x01" || err != nil {
			t.Fatalf("got %v, %q, %v", done, answer, err)
		}
		return &DialError{Stage: StageSASL, Err: dialogue.(explainer).explain(wire.ErrorOf(58))}
	}
	if _, err := cache.get(testContext(t)); err != nil {
		t.Fatal(err)
	}
	if err := refusal(time.Minute); !Retriable(err) {
		t.Errorf("an old token: %v is for good", err)
	}
	if err := refusal(0); Retriable(err) || source.asked.Load() != 2 {
		t.Errorf("a new token, the %dth: %v may pass", source.asked.Load(), err)
	} else {
		expectError(t, err, nil, `{"status":"invalid_token"}`)
	}
}
