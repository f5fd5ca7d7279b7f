package kafka

import (
	"context"
	"fmt"
)

// FileTokens returns a source that reads its tokens, which have to be JWTs, from a
// file that something else renews, such as a projected service-account token.
func FileTokens(file string) TokenSource { return tokenFile(file) }

type tokenFile string

// String implements TokenSource.
func (f tokenFile) String() string { return fmt.Sprintf("the token file %s", string(f)) }

// Token implements TokenSource.
func (f tokenFile) Token(context.Context) (Token, error) {
	value, err := onDisk.credential("kafka.sasl.oauth.tokenFile", string(f))
	return Token{Value: value}, err
}
