package kafka

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"time"
)

// SASL are the credentials of a SASL mechanism.
type SASL struct {
	// Mechanism is PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or
	// AWS_MSK_IAM.
	Mechanism string
	// Username and Password are for PLAIN and SCRAM.
	Username string
	Password string
	// OAuth is for OAUTHBEARER.
	OAuth *OAuth
	// AWS is for AWS_MSK_IAM.
	AWS *AWS
}

// OAuth is the source of the tokens of OAUTHBEARER: Tokens if it is set, and otherwise
// the token endpoint.
type OAuth struct {
	// TokenEndpoint is the https URL that gives tokens for the credentials of a
	// client (RFC 6749, section 4.4).
	TokenEndpoint string
	ClientID      string
	ClientSecret  string
	// Scope is part of each request for a token, unless it is empty.
	Scope string
	// CA holds the authorities for the endpoint's certificate, in PEM; empty for
	// those of the system.
	CA []byte
	// Tokens gives the tokens in place of an endpoint.
	Tokens TokenSource
	// Extensions are sent to the broker with each token (RFC 7628).
	Extensions map[string]string
}

// AWS is for AWS_MSK_IAM. The credentials are those of the process: environment,
// web identity (IRSA), EKS Pod Identity or instance role.
type AWS struct{ Region string }

// TokenSource returns bearer tokens. A client keeps a token for all of its connections,
// and gets another one before it expires. After an error it tries again. Token is called
// from one goroutine at a time.
type TokenSource interface {
	// Token returns a token that is valid now. If an error has a method Refused() bool
	// that returns true, the client assumes that it lasts until somebody changes the
	// configuration.
	Token(ctx context.Context) (Token, error)
	// String names the source in errors, without secrets. Sources of the same
	// name are the same source.
	String() string
}

// Token is a bearer token.
type Token struct {
	Value string
	// Expires is the time when the token becomes invalid. If it is zero, the token must
	// be a JWT, which contains that time.
	Expires time.Time
}

// Equal reports whether s and o are the same credentials. Both may be nil.
func (s *SASL) Equal(o *SASL) bool { return s.Identity() == o.Identity() }

// Identity distinguishes credentials and does not contain them.
func (s *SASL) Identity() [sha256.Size]byte {
	var b []byte
	add := func(fields ...string) {
		for _, field := range fields {
			b = append(binary.AppendUvarint(b, uint64(len(field))), field...)
		}
	}
	if s == nil {
		return sha256.Sum256(b)
	}
	add(s.Mechanism, s.Username, s.Password)
	if o := s.OAuth; o != nil {
		add("oauth", o.TokenEndpoint, o.ClientID, o.ClientSecret, o.Scope, string(o.CA))
		if o.Tokens != nil {
			add("tokens", o.Tokens.String())
		}
		for _, name := range slices.Sorted(maps.Keys(o.Extensions)) {
			add("extension", name, o.Extensions[name])
		}
	}
	if s.AWS != nil {
		add("aws", s.AWS.Region)
	}
	return sha256.Sum256(b)
}
