package schema

import (
	"errors"
	"fmt"
	"io"
	"net/http"

	"github.com/twmb/franz-go/pkg/sr"
)

// maxAnswer bounds the answers of a registry. Registries don't take schemas of more than a few
// megabytes.
const maxAnswer = 16 << 20

// maxRedirects is that of package net/http.
const maxRedirects = 10

// checkRedirect keeps credentials and schemas from connections without TLS.
func checkRedirect(next *http.Request, before []*http.Request) error {
	switch {
	case len(before) >= maxRedirects:
		return fmt.Errorf("it redirects more than %d times", maxRedirects)
	case before[0].URL.Scheme == "https" && next.URL.Scheme != "https":
		return errors.New("it redirects to an address without TLS")
	default:
		return nil
	}
}

// bounded bounds the bytes of answers.
type bounded struct{ http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		answer.Body = &boundedBody{answer.Body, maxAnswer}
	}
	return answer, err
}

type boundedBody struct {
	io.ReadCloser
	left int
}

// Read implements io.Reader.
func (b *boundedBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= n; b.left < 0 {
		return 0, fmt.Errorf("the answer has more than %d bytes", maxAnswer)
	}
	return n, err
}

// answered returns an error for an answer without a schema, such as the one of a proxy.
func answered(s sr.Schema, err error) error {
	if err == nil && s.Schema == "" {
		err = errors.New("the answer has no schema")
	}
	return err
}
