package resources

import (
	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/worker/config"
)

// inputSchema returns nil for input without schemas.
func (c *credentials) inputSchema(s *v1alpha1.InputSchemaSpec) *config.InputSchema {
	if s == nil {
		return nil
	}
	return &config.InputSchema{Registry: c.registry("spec.input.schema.registry", s.Registry)}
}

// outputSchema returns nil for results without schemas.
func (c *credentials) outputSchema(s *v1alpha1.OutputSchemaSpec) *config.OutputSchema {
	if s == nil {
		return nil
	}
	cfg := &config.OutputSchema{Subject: config.SubjectStrategy(s.Subject), Record: s.Record, Register: s.Register}
	if s.Registry != nil {
		cfg.Registry = new(c.registry("spec.output.schema.registry", *s.Registry))
	}
	if d := s.Definition; d != nil {
		cfg.Definition = &config.SchemaDefinition{Type: config.SchemaType(d.Type), Text: d.Text}
	}
	return cfg
}

func (c *credentials) registry(field string, r v1alpha1.SchemaRegistrySpec) config.SchemaRegistry {
	cfg := config.SchemaRegistry{URL: r.URL, TokenFile: c.secret(field+".tokenSecretRef", r.TokenSecretRef)}
	if r.TLS != nil {
		cfg.TLS = c.tls(field+".tls", r.TLS)
	}
	if auth := r.BasicAuth; auth != nil {
		field := field + ".basicAuth"
		cfg.Username = auth.Username
		cfg.UsernameFile = c.secret(field+".usernameSecretRef", auth.UsernameSecretRef)
		cfg.PasswordFile = c.secret(field+".passwordSecretRef", &auth.PasswordSecretRef)
	}
	return cfg
}

// registry checks the references of a schema registry.
func (c *credentialsCheck) registry(field string, r *v1alpha1.SchemaRegistrySpec) {
	if r.TLS != nil {
		c.tls(field+".tls", r.TLS)
	}
	c.secret(field+".tokenSecretRef", r.TokenSecretRef)
	auth := r.BasicAuth
	if auth == nil {
		return
	}
	if r.TokenSecretRef != nil {
		c.add(field, "basicAuth and tokenSecretRef are both set: remove one of them")
	}
	field += ".basicAuth"
	if (auth.Username == "") == (auth.UsernameSecretRef == nil) {
		c.add(field+".username", "set exactly one of username and usernameSecretRef")
	}
	c.secret(field+".usernameSecretRef", auth.UsernameSecretRef)
	c.secret(field+".passwordSecretRef", &auth.PasswordSecretRef)
}
