package kafka

import (
	"context"
	"testing"
)

// named is a source of tokens that gives none.
type named string

func (n named) Token(context.Context) (Token, error) { return Token{}, errTestRefused }

func (n named) String() string { return string(n) }

// TestCredentialsHaveAnIdentity: a field that does not count would leave a client
// with credentials that have been replaced.
func TestCredentialsHaveAnIdentity(t *testing.T) {
	oauth := func(change func(*OAuth)) *SASL {
		o := &OAuth{TokenEndpoint: "https://idp/", Extensions: map[string]string{"a": "b", "c": "d"}}
		change(o)
		return &SASL{Mechanism: "OAUTHBEARER", OAuth: o}
	}
	different := []*SASL{
		nil,
		{Mechanism: "PLAIN", Username: "alice", Password: "secret"},
		{Mechanism: "SCRAM-SHA-512", Username: "alice", Password: "secret"},
		{Mechanism: "PLAIN", Username: "alices", Password: "ecret"},
		{Mechanism: "AWS_MSK_IAM", AWS: &AWS{Region: "eu-west-1"}},
		{Mechanism: "AWS_MSK_IAM", AWS: &AWS{Region: "eu-west-2"}},
		oauth(func(*OAuth) {}),
		oauth(func(o *OAuth) { o.TokenEndpoint = "https://other/" }),
		oauth(func(o *OAuth) { o.ClientID = "x" }),
		oauth(func(o *OAuth) { o.ClientSecret = "x" }),
		oauth(func(o *OAuth) { o.Scope = "x" }),
		oauth(func(o *OAuth) { o.CA = []byte("x") }),
		oauth(func(o *OAuth) { o.Tokens = named("x") }),
		oauth(func(o *OAuth) { o.Tokens = named("y") }),
		oauth(func(o *OAuth) { o.Extensions = nil }),
		oauth(func(o *OAuth) { o.Extensions["a"] = "x" }),
	}
	for i, a := range different {
		for j, b := range different {
			if a.Equal(b) != (i == j) {
				t.Errorf("credentials %d and %d: equal is %v", i, j, a.Equal(b))
			}
		}
	}
	if !oauth(func(*OAuth) {}).Equal(oauth(func(*OAuth) {})) {
		t.Error("the same credentials made twice are not equal")
	}
}
