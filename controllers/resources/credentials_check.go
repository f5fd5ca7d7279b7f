package resources

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/millrace-dev/millrace/api/v1alpha1"
)

// checkCredentials checks the CRD's rules about references, for manifests that have not
// passed through an API server. The worker's configuration contains only files, so it can't
// check the references.
func checkCredentials(spec *v1alpha1.StreamProcessorSpec) error {
	var c credentialsCheck
	c.kafka("spec.kafka", &spec.Kafka)
	if s := spec.Input.Schema; s != nil {
		c.registry("spec.input.schema.registry", &s.Registry)
	}
	if spec.Output != nil && spec.Output.Kafka != nil {
		c.kafka("spec.output.kafka", spec.Output.Kafka)
	}
	if spec.Output != nil && spec.Output.Schema != nil && spec.Output.Schema.Registry != nil {
		c.registry("spec.output.schema.registry", spec.Output.Schema.Registry)
	}
	return errors.Join(c.errs...)
}

type credentialsCheck struct{ errs []error }

func (c *credentialsCheck) add(field, problem string) {
	c.errs = append(c.errs, fmt.Errorf("%s: %s", field, problem))
}

func (c *credentialsCheck) kafka(field string, k *v1alpha1.KafkaSpec) {
	if k.TLS != nil {
		c.tls(field+".tls", k.TLS)
	}
	if k.SASL != nil {
		c.sasl(field+".sasl", k.SASL)
	}
}

func (c *credentialsCheck) tls(field string, t *v1alpha1.TLSSpec) {
	c.authorities(field+".ca", t.CA)
	if (t.CertificateSecretRef == nil) != (t.KeySecretRef == nil) {
		c.add(field, "certificateSecretRef and keySecretRef belong together: set both or neither")
	}
	if ref := t.CertificateSecretRef; ref != nil {
		c.ref(field+".certificateSecretRef", ref.Name, ref.Key)
	}
	if ref := t.KeySecretRef; ref != nil {
		c.ref(field+".keySecretRef", ref.Name, ref.Key)
	}
}

func (c *credentialsCheck) authorities(field string, sources []v1alpha1.CASource) {
	for i, source := range sources {
		field := fmt.Sprintf("%s[%d]", field, i)
		if (source.SecretRef == nil) == (source.ConfigMapRef == nil) {
			c.add(field, "it must have exactly one of secretRef and configMapRef")
		}
		if ref := source.SecretRef; ref != nil {
			c.ref(field+".secretRef", ref.Name, ref.Key)
		}
		if ref := source.ConfigMapRef; ref != nil {
			c.ref(field+".configMapRef", ref.Name, ref.Key)
		}
	}
}

// sasl checks only the references; the configuration checks the fields that the mechanism
// does not use.
func (c *credentialsCheck) sasl(field string, s *v1alpha1.SASLSpec) {
	switch s.Mechanism {
	case v1alpha1.SASLPlain, v1alpha1.SASLScramSHA256, v1alpha1.SASLScramSHA512:
		if (s.Username == "") == (s.UsernameSecretRef == nil) {
			c.add(field+".username", "set exactly one of username and usernameSecretRef")
		}
		if s.PasswordSecretRef == nil {
			c.add(field+".passwordSecretRef", "it is not set: name the Secret and the key that hold the password")
		}
	default:
		if s.Mechanism == v1alpha1.SASLOAuthBearer && s.OAuth == nil {
			c.add(field+".oauth", "it is not set: say where the tokens come from, with tokenEndpoint or serviceAccountToken")
		}
		if s.UsernameSecretRef != nil || s.PasswordSecretRef != nil {
			c.add(field, fmt.Sprintf("user name and password are for PLAIN and SCRAM only: remove them, or set one of these instead of %s", s.Mechanism))
		}
	}
	c.secret(field+".usernameSecretRef", s.UsernameSecretRef)
	c.secret(field+".passwordSecretRef", s.PasswordSecretRef)
	if s.OAuth != nil {
		c.oauth(field+".oauth", s.OAuth)
	}
}

func (c *credentialsCheck) oauth(field string, o *v1alpha1.OAuthSpec) {
	if (o.TokenEndpoint == nil) == (o.ServiceAccountToken == nil) {
		c.add(field, "it must have exactly one of tokenEndpoint and serviceAccountToken")
	}
	if e := o.TokenEndpoint; e != nil {
		field := field + ".tokenEndpoint"
		if e.URL == "" {
			c.add(field+".url", "it is not set: write the https URL of the token endpoint")
		}
		if (e.ClientID == "") == (e.ClientIDSecretRef == nil) {
			c.add(field+".clientId", "set exactly one of clientId and clientIdSecretRef")
		}
		c.secret(field+".clientIdSecretRef", e.ClientIDSecretRef)
		c.secret(field+".clientSecretRef", &e.ClientSecretRef)
		c.authorities(field+".ca", e.CA)
	}
	if t := o.ServiceAccountToken; t != nil && t.Audience == "" {
		c.add(field+".serviceAccountToken.audience", "it is not set: write the audience that the brokers expect")
	}
}

func (c *credentialsCheck) secret(field string, ref *v1alpha1.SecretKeyRef) {
	if ref != nil {
		c.ref(field, ref.Name, ref.Key)
	}
}

// ref refuses invalid names and keys, because they become part of a file's path.
func (c *credentialsCheck) ref(field, name, key string) {
	switch {
	case name == "":
		c.add(field+".name", "it is not set: name the object that holds the value")
	case len(validation.IsDNS1123Subdomain(name)) > 0:
		c.add(field+".name", fmt.Sprintf("%q can't be an object's name: use at most 253 lower-case letters, digits, '-' and '.', with a letter or digit at both ends of each part", name))
	}
	switch {
	case key == "":
		c.add(field+".key", "it is not set: name the key that holds the value")
	case len(validation.IsConfigMapKey(key)) > 0:
		c.add(field+".key", fmt.Sprintf("%q can't be a key: use at most 253 ASCII letters, digits, '-', '_' and '.', and neither '.' alone nor '..' in front", key))
	}
}
