package kafka

import (
	"encoding/base64"
	"net/http"
	"testing"
	"time"
)

// FuzzTokenAnswer takes any bytes for the answer of a token endpoint. It checks the token
// that is read from them.
func FuzzTokenAnswer(f *testing.F) {
	claims := base64.RawURLEncoding.EncodeToString([]byte(`{"exp": 1800000000}`))
	f.Add(200, []byte(`{"access_token": "a.`+claims+`.c", "token_type": "bearer", "expires_in": 300}`))
	f.Add(200, []byte(`{"access_token": "a", "expires_in": 1e300}`))
	f.Add(400, []byte(`{"error": "invalid_client", "error_description": "who?"}`))
	f.Add(502, []byte("<html>"))
	asked := time.Unix(1_700_000_000, 0)
	f.Fuzz(func(t *testing.T, code int, body []byte) {
		token, err := new(tokenEndpoint).tokenFrom(&http.Response{StatusCode: code, Header: http.Header{}}, body, asked)
		if err != nil {
			return
		}
		if token.Value == "" || !token.Expires.IsZero() && token.Expires.Before(asked) {
			t.Errorf("the token %+v", token)
		}
		_ = expiryOf(token.Value, asked)
	})
}

// FuzzExpiry takes any text for a token.
func FuzzExpiry(f *testing.F) {
	encode := func(claims string) string {
		return "a." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".c"
	}
	for _, token := range []string{"", "opaque", "a.b.c", encode(`{"exp": 1800000000}`), encode(`{"exp": 1e300}`), encode(`{"exp": -1}`)} {
		f.Add(token)
	}
	now := time.Unix(1_700_000_000, 0)
	f.Fuzz(func(t *testing.T, token string) {
		if expires := expiryOf(token, now); expires.Before(time.Unix(0, 0)) {
			t.Errorf("%q expires at %s", token, expires)
		}
	})
}
