package controllers

import (
	"errors"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// TestSecrets: the operator waits for Secrets, and replaces pods when the content of a
// used key changes, and for no other change.
func TestSecrets(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("enrich", func(sp *v1alpha1.StreamProcessor) {
		sp.Spec.Kafka.SASL = &v1alpha1.SASLSpec{
			Mechanism:         v1alpha1.SASLPlain,
			UsernameSecretRef: &v1alpha1.SecretKeyRef{Name: "user", Key: "username"},
			PasswordSecretRef: &v1alpha1.SecretKeyRef{Name: "user", Key: "password"},
		}
	})
	o.expect("enrich", "Reconciling", yes, "CredentialsNotFound", "spec.kafka.sasl.passwordSecretRef", `"user"`, "create it")
	secret := &corev1.Secret{Data: map[string][]byte{"username": []byte("u")}}
	secret.Name, secret.Namespace = "user", o.namespace
	o.create(secret)
	o.expect("enrich", "Reconciling", yes, "CredentialsNotFound", `"password"`)
	o.patch(secret, `{"stringData": {"password": "p"}}`)
	d := o.replicas("enrich", 2)
	first := credentialsHash(d)
	cluster := o.kafka.target(o.key("enrich")).Cluster
	if sasl := cluster.SASL; first == "" || sasl == nil || string(cluster.Files[sasl.PasswordFile]) != "p" {
		t.Fatalf("hash %q, Kafka is asked with %+v", first, cluster)
	}
	o.patch(secret, `{"metadata": {"labels": {"a": "b"}}, "stringData": {"unused": "x"}}`)
	o.patch(secret, `{"stringData": {"password": "q"}}`)
	o.deployment("enrich", func(d *appsv1.Deployment) error {
		if credentialsHash(d) == first {
			return errors.New("the old hash")
		}
		return nil
	})
	if revision := o.replicas("enrich", 2).Generation; revision != d.Generation+1 {
		t.Errorf("the Deployment changed %d times; want once", revision-d.Generation)
	}
	if err := o.client.Delete(o.Context(), secret); err != nil {
		t.Fatal(err)
	}
	o.expect("enrich", "Reconciling", yes, "CredentialsNotFound")
	o.replicas("enrich", 2) // the pods go on
}

func credentialsHash(d *appsv1.Deployment) string {
	return d.Spec.Template.Annotations["millrace.dev/credentials-hash"]
}

// TestAuthoritiesInConfigMaps: the operator waits for ConfigMaps and reads them as it does
// with Secrets, although its main cache holds only its own ConfigMaps.
func TestAuthoritiesInConfigMaps(t *testing.T) {
	t.Parallel()
	o := startOperator(t, 6)
	o.processor("enrich", func(sp *v1alpha1.StreamProcessor) {
		sp.Spec.Kafka.TLS = &v1alpha1.TLSSpec{CA: []v1alpha1.CASource{
			{ConfigMapRef: &v1alpha1.CARef{Name: "company"}},
			{ConfigMapRef: &v1alpha1.CARef{Name: "company", Key: "old.pem"}},
		}}
	})
	o.expect("enrich", "Ready", no, "CredentialsNotFound", "spec.kafka.tls.ca[0].configMapRef", `ConfigMap "company"`, "create it")
	bundle := &corev1.ConfigMap{Data: map[string]string{"ca.crt": "new"}}
	bundle.Name, bundle.Namespace = "company", o.namespace
	o.create(bundle)
	o.expect("enrich", "Ready", no, "CredentialsNotFound", "spec.kafka.tls.ca[1].configMapRef", `"old.pem"`, "add it")
	o.patch(bundle, `{"binaryData": {"old.pem": "b2xk"}}`)
	d := o.replicas("enrich", 2)
	authorities := func(want ...string) {
		t.Helper()
		cluster := o.kafka.target(o.key("enrich")).Cluster
		for i, file := range cluster.TLS.CAFiles {
			if got := string(cluster.Files[file]); got != want[i] {
				t.Errorf("authority %d is %q, want %q", i, got, want[i])
			}
		}
	}
	authorities("new", "old")
	o.patch(bundle, `{"metadata": {"labels": {"a": "b"}}, "data": {"unused": "x"}}`)
	o.patch(bundle, `{"data": {"ca.crt": "newer"}}`)
	changed := o.deployment("enrich", func(now *appsv1.Deployment) error {
		if credentialsHash(now) == credentialsHash(d) {
			return errors.New("the old hash")
		}
		return nil
	})
	if changed.Generation != d.Generation+1 {
		t.Errorf("the Deployment changed %d times; want once", changed.Generation-d.Generation)
	}
	authorities("newer", "old")
}
