package controllers

import (
	"context"
	"fmt"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/controllers/kafkawatch"
	"github.com/millrace-dev/millrace/worker/kafka"
)

// tokenTimeout bounds the API server's time to issue a token.
const tokenTimeout = 5 * time.Second

// ServiceAccountTokens returns a function that returns the source of a service account's
// tokens. The API server issues a token when the poller needs one.
func ServiceAccountTokens(c client.Client) func(kafkawatch.ServiceAccount) kafka.TokenSource {
	return func(account kafkawatch.ServiceAccount) kafka.TokenSource { return tokenRequests{c, account} }
}

type tokenRequests struct {
	client  client.Client
	account kafkawatch.ServiceAccount
}

// String implements kafka.TokenSource.
func (t tokenRequests) String() string {
	return fmt.Sprintf("the token of ServiceAccount %s/%s for the audience %q, valid for %d s",
		t.account.Namespace, t.account.Name, t.account.Audience, t.account.ExpirationSeconds)
}

// Token implements kafka.TokenSource.
func (t tokenRequests) Token(ctx context.Context) (kafka.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, tokenTimeout)
	defer cancel()
	account := &corev1.ServiceAccount{}
	account.Namespace, account.Name = t.account.Namespace, t.account.Name
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		Audiences: []string{t.account.Audience}, ExpirationSeconds: &t.account.ExpirationSeconds,
	}}
	if err := t.client.SubResource("token").Create(ctx, account, request); err != nil {
		return kafka.Token{}, fmt.Errorf("request a token of ServiceAccount %s/%s: %w", t.account.Namespace, t.account.Name, err)
	}
	return kafka.Token{Value: request.Status.Token, Expires: request.Status.ExpirationTimestamp.Time}, nil
}
