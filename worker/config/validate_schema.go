package config

import "net/url"

func (s *InputSchema) validate(f *findings) {
	if s != nil {
		s.Registry.validate(f, "input.schema.registry")
	}
}

// validateOutputSchema checks the results' schema, whose registry may be the input's.
func (c Config) validateOutputSchema(f *findings) {
	s := c.Output.Schema
	if s == nil {
		return
	}
	switch {
	case s.Registry != nil:
		s.Registry.validate(f, "output.schema.registry")
	case c.Input.Schema == nil:
		f.add("output.schema.registry", "it is not set, and there is no input.schema.registry to take its place: write {url: ...}")
	}
	oneOf(f, "output.schema.subject", s.Subject, TopicNameSubject, RecordNameSubject, TopicRecordNameSubject)
	if s.Subject != TopicNameSubject && s.Record == "" && s.Definition == nil {
		f.add("output.schema.record", "it is not set, and the subject %s contains it: write the full name of the results' type, such as com.example.Order", s.Subject)
	}
	if d := s.Definition; d != nil {
		oneOf(f, "output.schema.definition.type", d.Type, Avro, Protobuf, JSONSchema)
		if d.Text == "" {
			f.add("output.schema.definition.text", "it is not set: write the schema, or remove the definition to use the subject's newest one")
		}
	} else if s.Register {
		f.add("output.schema.register", "there is no output.schema.definition to register: write one, or remove register")
	}
}

func (r SchemaRegistry) validate(f *findings, path string) {
	parsed, err := url.Parse(r.URL)
	switch {
	case r.URL == "":
		f.add(path+".url", "it is not set: write the registry's URL, such as https://registry.example.com")
	case err != nil:
		f.add(path+".url", "it is not a URL: write one such as https://registry.example.com")
	case parsed.Scheme != "https" && parsed.Scheme != "http" || parsed.Hostname() == "":
		f.add(path+".url", "%q is not the URL of a registry: write one such as https://registry.example.com", parsed.Redacted())
	case parsed.User != nil:
		f.add(path+".url", "%q contains a user or a password: use basicAuth, which refers to a Secret", parsed.Redacted())
	case parsed.RawQuery != "" || parsed.Fragment != "":
		f.add(path+".url", "%q has a query or a fragment: remove the ? or # and everything after it", r.URL)
	case parsed.Scheme == "http" && r.TLS != nil:
		f.add(path+".tls", "the URL %q begins with http://, so nothing is encrypted: write https://, or remove tls", r.URL)
	}
	if r.TLS != nil {
		r.TLS.validate(f, path+".tls")
	}
	if r.Username != "" || r.UsernameFile != "" || r.PasswordFile != "" {
		f.valueOrFile(path+".username", r.Username, r.UsernameFile, "the user's name")
		if r.PasswordFile == "" {
			f.add(path+".passwordFile", "it is not set: name the file that holds the password")
		}
		if r.TokenFile != "" {
			f.add(path+".tokenFile", "a user and a password are set too: remove one of them")
		}
	}
}
