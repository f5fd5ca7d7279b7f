package resources

import (
	"fmt"
	"path/filepath"
	"strings"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/worker/config"
)

// Credential is one key of a Secret or a ConfigMap that a StreamProcessor refers
// to.
type Credential struct {
	// Field is the path of the reference in the spec.
	Field string
	// Kind is SecretKind or ConfigMapKind.
	Kind      string
	Name, Key string
}

// The kinds of objects that hold credentials.
const (
	SecretKind    = "Secret"
	ConfigMapKind = "ConfigMap"
)

// Token is a token of a service account that a StreamProcessor asks for.
type Token struct {
	// Field is the path of the token in the spec.
	Field    string
	Audience string
	// ExpirationSeconds is the token's lifetime.
	ExpirationSeconds int64

	file string
}

// Path returns the path of the credential's file below dir.
func (c Credential) Path(dir string) string { return filepath.Join(dir, c.file()) }

func (c Credential) file() string {
	if c.Kind == ConfigMapKind {
		return filepath.Join("configmaps", c.Name, c.Key)
	}
	return filepath.Join("secrets", c.Name, c.Key)
}

// String names the credential for messages.
func (c Credential) String() string { return fmt.Sprintf("%s %q, key %q", c.Kind, c.Name, c.Key) }

// Path returns the path of the token's file below dir.
func (t Token) Path(dir string) string { return filepath.Join(dir, t.file) }

// String names the token for messages.
func (t Token) String() string {
	return fmt.Sprintf("the service account's token for the audience %q", t.Audience)
}

// Credentials lists the references of sp: the keys of Secrets and ConfigMaps, in the order of
// their fields, and the tokens.
func Credentials(sp *v1alpha1.StreamProcessor) ([]Credential, []Token) {
	c := credentials{place: asNames}
	c.kafka("spec.kafka", sp.Spec.Kafka)
	c.input(sp.Spec.Input)
	c.output(sp.Spec.Output)
	return c.found, c.tokens
}

// Kafka returns the configuration of the input's cluster for the operator. It has the names
// of credentials and tokens instead of file names.
func Kafka(sp *v1alpha1.StreamProcessor) (config.Kafka, []Token) {
	c := credentials{place: asNames}
	return c.kafka("spec.kafka", sp.Spec.Kafka), c.tokens
}

// credentials converts the parts of the spec that refer to credentials into the worker's
// configuration, which names files, and collects the references.
type credentials struct {
	// place returns the text that the configuration has for a file.
	place  func(credentialFile) string
	found  []Credential
	tokens []Token
}

// credentialFile is a Credential or a Token.
type credentialFile interface {
	Path(dir string) string
	String() string
}

func asNames(f credentialFile) string { return f.String() }

func asFiles(dir string) func(credentialFile) string {
	return func(f credentialFile) string { return f.Path(dir) }
}

func (c *credentials) kafka(field string, k v1alpha1.KafkaSpec) config.Kafka {
	cfg := config.Kafka{BootstrapServers: k.BootstrapServers}
	if k.TLS != nil {
		cfg.TLS = c.tls(field+".tls", k.TLS)
	}
	if k.SASL != nil {
		cfg.SASL = c.sasl(field+".sasl", k.SASL)
	}
	return cfg
}

func (c *credentials) tls(field string, t *v1alpha1.TLSSpec) *config.TLS {
	cfg := &config.TLS{CAFiles: c.authorities(field+".ca", t.CA), ServerName: t.ServerName}
	if ref := t.CertificateSecretRef; ref != nil {
		cfg.CertFile = c.add(field+".certificateSecretRef", SecretKind, ref.Name, ref.Key)
	}
	if ref := t.KeySecretRef; ref != nil {
		cfg.KeyFile = c.add(field+".keySecretRef", SecretKind, ref.Name, ref.Key)
	}
	return cfg
}

func (c *credentials) sasl(field string, s *v1alpha1.SASLSpec) *config.SASL {
	cfg := &config.SASL{
		Mechanism:    config.Mechanism(s.Mechanism),
		Username:     s.Username,
		UsernameFile: c.secret(field+".usernameSecretRef", s.UsernameSecretRef),
		PasswordFile: c.secret(field+".passwordSecretRef", s.PasswordSecretRef),
	}
	if s.OAuth != nil {
		cfg.OAuth = c.oauth(field+".oauth", s.OAuth)
	}
	if s.AWS != nil {
		cfg.AWS = &config.AWS{Region: s.AWS.Region}
	}
	return cfg
}

func (c *credentials) oauth(field string, o *v1alpha1.OAuthSpec) *config.OAuth {
	cfg := &config.OAuth{}
	if e := o.TokenEndpoint; e != nil {
		field := field + ".tokenEndpoint"
		cfg.TokenEndpoint, cfg.ClientID, cfg.Scope = e.URL, e.ClientID, e.Scope
		cfg.ClientIDFile = c.secret(field+".clientIdSecretRef", e.ClientIDSecretRef)
		cfg.ClientSecretFile = c.secret(field+".clientSecretRef", &e.ClientSecretRef)
		cfg.CAFiles = c.authorities(field+".ca", e.CA)
	}
	if t := o.ServiceAccountToken; t != nil {
		cfg.TokenFile = c.token(field+".serviceAccountToken", t)
	}
	for name, value := range o.Extensions {
		if cfg.Extensions == nil {
			cfg.Extensions = map[string]string{}
		}
		cfg.Extensions[name] = string(value)
	}
	return cfg
}

func (c *credentials) authorities(field string, sources []v1alpha1.CASource) []string {
	var files []string
	for i, source := range sources {
		field := fmt.Sprintf("%s[%d]", field, i)
		if ref := source.SecretRef; ref != nil {
			files = append(files, c.add(field+".secretRef", SecretKind, ref.Name, ref.Key))
		}
		if ref := source.ConfigMapRef; ref != nil {
			files = append(files, c.add(field+".configMapRef", ConfigMapKind, ref.Name, ref.Key))
		}
	}
	return files
}

// secret returns "" if ref is nil.
func (c *credentials) secret(field string, ref *v1alpha1.SecretKeyRef) string {
	if ref == nil {
		return ""
	}
	return c.add(field, SecretKind, ref.Name, ref.Key)
}

func (c *credentials) add(field, kind, name, key string) string {
	credential := Credential{Field: field, Kind: kind, Name: name, Key: key}
	c.found = append(c.found, credential)
	return c.place(credential)
}

// token names the token's file after the cluster, which has at most one token.
func (c *credentials) token(field string, t *v1alpha1.ServiceAccountTokenSpec) string {
	cluster := strings.TrimPrefix(strings.TrimSuffix(field, ".sasl.oauth.serviceAccountToken"), "spec.")
	token := Token{Field: field, Audience: t.Audience, file: filepath.Join("tokens", cluster)}
	if t.ExpirationSeconds != nil {
		token.ExpirationSeconds = *t.ExpirationSeconds
	}
	c.tokens = append(c.tokens, token)
	return c.place(token)
}
