package resources

import (
	"slices"
	"strings"
	"testing"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

func TestCredentialsOfBothClusters(t *testing.T) {
	sp := decode(t, least)
	corp := []v1alpha1.CASource{{ConfigMapRef: &v1alpha1.CARef{Name: "corp", Key: "ca.crt"}}}
	sp.Spec.Output.Kafka = &v1alpha1.KafkaSpec{
		TLS: &v1alpha1.TLSSpec{CA: corp},
		SASL: &v1alpha1.SASLSpec{OAuth: &v1alpha1.OAuthSpec{TokenEndpoint: &v1alpha1.TokenEndpointSpec{
			ClientIDSecretRef: &v1alpha1.SecretKeyRef{Name: "client", Key: "id"},
			ClientSecretRef:   v1alpha1.SecretKeyRef{Name: "client", Key: "secret"},
			CA:                corp,
		}}},
	}
	sp.Spec.Kafka.SASL = &v1alpha1.SASLSpec{
		Mechanism: v1alpha1.SASLOAuthBearer,
		OAuth:     &v1alpha1.OAuthSpec{ServiceAccountToken: &v1alpha1.ServiceAccountTokenSpec{Audience: "kafka", ExpirationSeconds: new(int64(600))}},
	}
	found, tokens := Credentials(sp)
	var got []string
	for _, c := range found {
		got = append(got, c.Field+" "+c.Path("/dir"))
	}
	want := []string{
		"spec.output.kafka.tls.ca[0].configMapRef /dir/configmaps/corp/ca.crt",
		"spec.output.kafka.sasl.oauth.tokenEndpoint.clientIdSecretRef /dir/secrets/client/id",
		"spec.output.kafka.sasl.oauth.tokenEndpoint.clientSecretRef /dir/secrets/client/secret",
		"spec.output.kafka.sasl.oauth.tokenEndpoint.ca[0].configMapRef /dir/configmaps/corp/ca.crt",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	if len(tokens) != 1 || tokens[0].Path("/dir") != "/dir/tokens/kafka" || tokens[0].ExpirationSeconds != 600 {
		t.Errorf("got the tokens %+v", tokens)
	}
	// A key that two fields refer to is one file.
	sources := credentialsVolume(sp).Projected.Sources
	if len(sources) != 3 || len(sources[0].ConfigMap.Items) != 1 || len(sources[1].Secret.Items) != 2 || sources[2].ServiceAccountToken == nil {
		t.Errorf("the volume has %+v", sources)
	}
}

// TestWorkerConfigRefusesCredentials
func TestWorkerConfigRefusesCredentials(t *testing.T) {
	oauth := func(change func(*v1alpha1.OAuthSpec)) func(*v1alpha1.KafkaSpec) {
		return func(k *v1alpha1.KafkaSpec) {
			k.SASL = &v1alpha1.SASLSpec{Mechanism: v1alpha1.SASLOAuthBearer, OAuth: &v1alpha1.OAuthSpec{TokenEndpoint: &v1alpha1.TokenEndpointSpec{
				URL: "https://a/b", ClientID: "c", ClientSecretRef: v1alpha1.SecretKeyRef{Name: "d", Key: "e"},
			}}}
			change(k.SASL.OAuth)
		}
	}
	for want, change := range map[string]func(*v1alpha1.KafkaSpec){
		".tls.ca[0]: it must have exactly one":    func(k *v1alpha1.KafkaSpec) { k.TLS.CA[0].ConfigMapRef = k.TLS.CA[0].SecretRef },
		".tls.ca[1]: it must have exactly one":    func(k *v1alpha1.KafkaSpec) { k.TLS.CA[1] = v1alpha1.CASource{} },
		`.tls.ca[1].configMapRef.name: "../corp"`: func(k *v1alpha1.KafkaSpec) { k.TLS.CA[1].ConfigMapRef.Name = "../corp" },
		".tls: certificateSecretRef and key":      func(k *v1alpha1.KafkaSpec) { k.TLS.KeySecretRef = nil },
		`.tls.keySecretRef.key: "../key" can't`:   func(k *v1alpha1.KafkaSpec) { k.TLS.KeySecretRef.Key = "../key" },
		".sasl.username: set exactly one":         func(k *v1alpha1.KafkaSpec) { k.SASL.Username = "also" },
		".sasl.passwordSecretRef: it is not set":  func(k *v1alpha1.KafkaSpec) { k.SASL.PasswordSecretRef = nil },
		".sasl.passwordSecretRef.name: it is not": func(k *v1alpha1.KafkaSpec) { k.SASL.PasswordSecretRef.Name = "" },
		".sasl: user name and password are for":   func(k *v1alpha1.KafkaSpec) { k.SASL.Mechanism = v1alpha1.SASLOAuthBearer },
		".sasl.mechanism: ":                       func(k *v1alpha1.KafkaSpec) { k.SASL = &v1alpha1.SASLSpec{Mechanism: "SCRAM"} },
		".sasl.oauth: it must have exactly one":   oauth(func(o *v1alpha1.OAuthSpec) { o.TokenEndpoint = nil }),
		".sasl.oauth.tokenEndpoint.clientId: set": oauth(func(o *v1alpha1.OAuthSpec) { o.TokenEndpoint.ClientID = "" }),
		".sasl.oauth.tokenEndpoint.url: it is":    oauth(func(o *v1alpha1.OAuthSpec) { o.TokenEndpoint.URL = "" }),
		`.sasl.oauth.tokenEndpoint.url: "http:`:   oauth(func(o *v1alpha1.OAuthSpec) { o.TokenEndpoint.URL = "http://a/b" }),
		".sasl.oauth.tokenEndpoint.clientSecretRef.key: ": oauth(func(o *v1alpha1.OAuthSpec) {
			o.TokenEndpoint.ClientSecretRef.Key = ""
		}),
		".sasl.oauth.serviceAccountToken.audience: ": oauth(func(o *v1alpha1.OAuthSpec) {
			o.TokenEndpoint, o.ServiceAccountToken = nil, &v1alpha1.ServiceAccountTokenSpec{}
		}),
		".sasl.oauth: it is not set: say where the tokens come from, with tokenEndpoint or serviceAccountToken": func(k *v1alpha1.KafkaSpec) {
			k.SASL = &v1alpha1.SASLSpec{Mechanism: v1alpha1.SASLOAuthBearer}
		},
		".sasl.passwordSecretRef.key: it is not set: name the key": func(k *v1alpha1.KafkaSpec) { k.SASL.PasswordSecretRef.Key = "" },
		".sasl.aws: it is not set":                                 func(k *v1alpha1.KafkaSpec) { k.SASL = &v1alpha1.SASLSpec{Mechanism: v1alpha1.SASLAWSMSKIAM} },
	} {
		for field, of := range map[string]func(*v1alpha1.StreamProcessor) *v1alpha1.KafkaSpec{
			"spec.kafka":        func(sp *v1alpha1.StreamProcessor) *v1alpha1.KafkaSpec { return &sp.Spec.Kafka },
			"spec.output.kafka": func(sp *v1alpha1.StreamProcessor) *v1alpha1.KafkaSpec { return sp.Spec.Output.Kafka },
		} {
			sp := decode(t, full)
			sp.Spec.Output.Kafka = sp.Spec.Kafka.DeepCopy()
			change(of(sp))
			if _, err := WorkerConfig(sp, mounts); err == nil || !strings.Contains(err.Error(), field+want) {
				t.Errorf("error %v, want one with %q", err, field+want)
			}
		}
	}
}
