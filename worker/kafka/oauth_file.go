package kafka

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"strings"
)

// FileTokens returns a source that reads its tokens from a file that something else
// renews, such as a projected service-account token. A token that is not a JWT is
// read again each minute.
func FileTokens(file string) TokenSource { return tokenFile(file) }

type tokenFile string

// String implements TokenSource.
func (f tokenFile) String() string { return "the token file " + string(f) }

// Token implements TokenSource.
func (f tokenFile) Token(context.Context) (Token, error) {
	content, err := os.ReadFile(string(f))
	if err != nil {
		if reason, ok := errors.AsType[*fs.PathError](err); ok {
			err = reason.Err
		}
		return Token{}, err
	}
	value := strings.TrimSpace(string(content))
	switch {
	case value == "":
		return Token{}, errors.New("it is empty")
	case strings.ContainsFunc(value, notInToken):
		return Token{}, &refusal{errors.New("it holds something else than a token")}
	}
	return Token{Value: value}, nil
}
