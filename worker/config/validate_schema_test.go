package config

import (
	"strings"
	"testing"
)

// TestValidateSchemas: each side has a registry that can be reached and authenticates in one
// way.
func TestValidateSchemas(t *testing.T) {
	good := SchemaRegistry{URL: "https://registry"}
	in := func(r SchemaRegistry) func(*Config) {
		return func(c *Config) { c.Input.Schema = &InputSchema{Registry: r} }
	}
	out := func(s OutputSchema) func(*Config) { return func(c *Config) { c.Output.Schema = &s } }
	for name, c := range map[string]struct {
		change func(*Config)
		want   string // "" for valid
	}{
		"input":               {in(good), ""},
		"path":                {in(SchemaRegistry{URL: "http://registry:8081/apis/ccompat/v7"}), ""},
		"output":              {out(OutputSchema{Registry: &good}), ""},
		"the input's":         {func(c *Config) { in(good)(c); out(OutputSchema{})(c) }, ""},
		"no registry":         {out(OutputSchema{}), "output.schema.registry: it is not set, and there is no input.schema.registry"},
		"no URL":              {in(SchemaRegistry{}), "input.schema.registry.url: it is not set"},
		"no scheme":           {in(SchemaRegistry{URL: "registry:8081"}), "input.schema.registry.url: \"registry:8081\" is not the URL of a registry"},
		"password in URL":     {in(SchemaRegistry{URL: "https://a:secret@registry"}), "input.schema.registry.url: \"https://a:xxxxx@registry\" contains a user"},
		"query":               {in(SchemaRegistry{URL: "https://registry?a=b"}), "input.schema.registry.url: \"https://registry?a=b\" has a query"},
		"TLS in the open":     {in(SchemaRegistry{URL: "http://registry", TLS: &TLS{}}), "input.schema.registry.tls: the URL \"http://registry\" begins with http://"},
		"half a key":          {in(SchemaRegistry{URL: "https://registry", TLS: &TLS{KeyFile: "k"}}), "input.schema.registry.tls: certFile"},
		"no password":         {in(SchemaRegistry{URL: "https://registry", Username: "u"}), "input.schema.registry.passwordFile: it is not set"},
		"no user":             {in(SchemaRegistry{URL: "https://registry", PasswordFile: "p"}), "input.schema.registry.usernameFile: it is not set"},
		"user and token":      {in(SchemaRegistry{URL: "https://registry", Username: "u", PasswordFile: "p", TokenFile: "t"}), "input.schema.registry.tokenFile: a user and a password are set too"},
		"token":               {in(SchemaRegistry{URL: "https://registry", TokenFile: "t"}), ""},
		"subject":             {out(OutputSchema{Registry: &good, Subject: "X"}), "output.schema.subject: \"X\" is not allowed"},
		"no record":           {out(OutputSchema{Registry: &good, Subject: RecordNameSubject}), "output.schema.record: it is not set, and the subject RecordName contains it"},
		"record":              {out(OutputSchema{Registry: &good, Subject: RecordNameSubject, Record: "a.B"}), ""},
		"type":                {out(OutputSchema{Registry: &good, Definition: &SchemaDefinition{Type: "XML", Text: "x"}}), "output.schema.definition.type: \"XML\" is not allowed"},
		"text":                {out(OutputSchema{Registry: &good, Definition: &SchemaDefinition{Type: Avro}}), "output.schema.definition.text: it is not set"},
		"nothing to register": {out(OutputSchema{Registry: &good, Register: true}), "output.schema.register: there is no output.schema.definition"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := parse(t, least)
			c.change(&cfg)
			Default(&cfg)
			err := cfg.Validate()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
				t.Errorf("error %v, want one that begins with %q", err, c.want)
			}
		})
	}
}
