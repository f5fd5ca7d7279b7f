package controllers

import (
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/controllers/kafkawatch"
)

// TestServiceAccountTokens: the operator's role lets it get a token of the pods' account,
// and each pod mounts its own token.
func TestServiceAccountTokens(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("enrich", asksWithToken)
	o.processor("named", asksWithToken, runsAs("payments"))
	account := &corev1.ServiceAccount{}
	account.Name, account.Namespace = "payments", o.namespace
	o.create(account)
	for name, account := range map[string]string{"enrich": "enrich-worker", "named": "payments"} {
		d := o.replicas(name, 2)
		if got := d.Spec.Template.Spec.ServiceAccountName; got != account {
			t.Errorf("the pods of %s run as %q, want %q", name, got, account)
		}
		checkTokenVolume(t, d)
		cluster := o.kafka.target(o.key(name)).Cluster
		want := kafkawatch.ServiceAccount{Namespace: o.namespace, Name: account, Audience: "kafka", ExpirationSeconds: 3600}
		if got := cluster.Tokens[cluster.SASL.OAuth.TokenFile]; got != want {
			t.Errorf("the token of %s is that of %+v, want %+v", name, got, want)
		}
		o.checkToken(want)
	}
}

func asksWithToken(sp *v1alpha1.StreamProcessor) {
	sp.Spec.Kafka.SASL = &v1alpha1.SASLSpec{
		Mechanism: v1alpha1.SASLOAuthBearer,
		OAuth:     &v1alpha1.OAuthSpec{ServiceAccountToken: &v1alpha1.ServiceAccountTokenSpec{Audience: "kafka"}},
	}
}

func runsAs(account string) func(*v1alpha1.StreamProcessor) {
	return func(sp *v1alpha1.StreamProcessor) {
		sp.Spec.Template = &v1alpha1.PodTemplateSpec{Spec: &runtime.RawExtension{Raw: fmt.Appendf(nil, `{"serviceAccountName": %q}`, account)}}
	}
}

func checkTokenVolume(t *testing.T, d *appsv1.Deployment) {
	t.Helper()
	for _, v := range d.Spec.Template.Spec.Volumes {
		if v.Projected == nil {
			continue
		}
		token := v.Projected.Sources[0].ServiceAccountToken
		if token == nil || token.Audience != "kafka" || *token.ExpirationSeconds != 3600 || token.Path != "tokens/kafka" {
			t.Errorf("%s mounts %+v", d.Name, token)
		}
		return
	}
	t.Errorf("%s mounts no token", d.Name)
}

// checkToken asks the API server which account the operator's token belongs to.
func (o *operator) checkToken(account kafkawatch.ServiceAccount) {
	o.Helper()
	as, err := client.New(o.api.User(o.T, o.user), client.Options{Scheme: o.api.Scheme})
	if err != nil {
		o.Fatal(err)
	}
	token, err := ServiceAccountTokens(as)(account).Token(o.Context())
	if err != nil {
		o.Fatal(err)
	}
	if left := time.Until(token.Expires); left < 30*time.Minute || left > 2*time.Hour {
		o.Errorf("the token expires in %v", left)
	}
	review := &authenticationv1.TokenReview{Spec: authenticationv1.TokenReviewSpec{Token: token.Value, Audiences: []string{"kafka"}}}
	o.create(review)
	if want := "system:serviceaccount:" + account.Namespace + ":" + account.Name; !review.Status.Authenticated || review.Status.User.Username != want {
		o.Errorf("the API server takes it for %+v, want %s", review.Status, want)
	}
	account.Name = "nobody"
	if _, err := ServiceAccountTokens(as)(account).Token(o.Context()); err == nil || !strings.Contains(err.Error(), "ServiceAccount "+account.Namespace+"/nobody") {
		o.Errorf("the token of an account that does not exist: %v", err)
	}
}
