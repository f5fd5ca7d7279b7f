package kafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/segmentio/kafka-go/sasl"

	"github.com/millrace-dev/millrace/worker/config"
)

// source returns where the tokens come from.
func (o *OAuth) source() TokenSource {
	if o.Tokens != nil {
		return o.Tokens
	}
	return &tokenEndpoint{oauth: o}
}

func (o *OAuth) mechanism(cfg *ClientConfig) (sasl.Mechanism, error) {
	news := tokenNews{cfg.Logger, cfg.TokenFailed}
	switch {
	case o == nil || o.Tokens == nil && o.TokenEndpoint == "":
		return nil, errors.New("SASL mechanism OAUTHBEARER needs a token endpoint or another source of tokens")
	case o.Tokens != nil:
		return &oauthBearer{tokens: newTokenCache(o.Tokens, news), extensions: o.Extensions}, nil
	}
	endpoint, err := newTokenEndpoint(o, cfg)
	if err != nil {
		return nil, err
	}
	return &oauthBearer{tokens: newTokenCache(endpoint, news), extensions: o.Extensions}, nil
}

// oauthBearer is the mechanism OAUTHBEARER (RFC 7628).
type oauthBearer struct {
	tokens     *tokenCache
	extensions map[string]string
}

// Name implements sasl.Mechanism.
func (m *oauthBearer) Name() string { return string(config.OAuthBearer) }

// Start implements sasl.Mechanism.
func (m *oauthBearer) Start(ctx context.Context) (sasl.StateMachine, []byte, error) {
	token, err := m.tokens.get(ctx)
	if err != nil {
		return nil, nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "n,,\x01auth=Bearer %s", token.Value)
	for _, name := range slices.Sorted(maps.Keys(m.extensions)) {
		fmt.Fprintf(&b, "\x01%s=%s", name, m.extensions[name])
	}
	b.WriteString("\x01\x01")
	return &oauthDialogue{tokens: m.tokens, token: token}, b.Bytes(), nil
}

// oauthDialogue is one use of a token.
type oauthDialogue struct {
	tokens  *tokenCache
	token   Token
	refusal string // what the broker says of the token
	old     bool   // the refused token was fine once
}

// Next implements sasl.StateMachine. An answer with content is a refusal, which
// the client confirms before the broker ends the dialogue with an error.
func (d *oauthDialogue) Next(_ context.Context, answer []byte) (done bool, response []byte, err error) {
	if d.refusal != "" {
		return false, nil, d.explain(errors.New("the broker does not end the dialogue"))
	}
	if len(answer) == 0 {
		return true, nil, nil
	}
	d.refusal = shortened(string(answer))
	d.old = d.tokens.refused(d.token)
	return false, []byte{1}, nil
}

// explain implements explainer.
func (d *oauthDialogue) explain(err error) error {
	if d.refusal == "" {
		return err
	}
	err = fmt.Errorf("the broker refuses the token with %s: %w", d.refusal, err)
	if d.old {
		return &oldTokenError{err}
	}
	return err
}

// oldTokenError is a broker's refusal of a token that was not fetched for it: another
// one may do, since keys are changed and tokens are revoked.
type oldTokenError struct{ err error }

func (e *oldTokenError) Error() string { return e.err.Error() }

func (e *oldTokenError) Unwrap() error { return e.err }

func (e *oldTokenError) permanent() bool { return false }
