package kafkatest

import (
	"encoding/base64"
	"encoding/json"
	"testing"
	"time"
)

// Token returns an unsigned token. A broker with the option Tokens accepts it until it
// expires.
func Token(tb testing.TB, user string, lifetime time.Duration) string {
	tb.Helper()
	now := time.Now()
	encode := func(claims map[string]any) string {
		content, err := json.Marshal(claims)
		if err != nil {
			tb.Fatalf("make a token: %v", err)
		}
		return base64.RawURLEncoding.EncodeToString(content)
	}
	seconds := func(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
	return encode(map[string]any{"alg": "none"}) + "." +
		encode(map[string]any{"sub": user, "iat": seconds(now), "exp": seconds(now.Add(lifetime))}) + "."
}
