package crd

import "strings"

// schemaRules are the rules about schemas and their registries.
func schemaRules() []rule {
	var rules []rule
	for _, side := range []string{"input", "output"} {
		for _, r := range registryRules() {
			rules = append(rules, rule{"spec." + side + ".schema.registry" + r.field, r.says, ofRegistry(side, r.accept), ofRegistry(side, r.refuse)})
		}
	}
	output := func(fields string) string {
		return spec("output: {schema: {registry: {url: 'https://registry'}, " + fields + "}}")
	}
	const avro = `definition: {type: Avro, text: '{"type": "record", "name": "R", "fields": []}'}`
	return append(rules,
		rule{
			"spec.output.schema.record", "the subject contains the record's name",
			list(output("subject: TopicName"), output("subject: RecordName, record: a.B"), output("subject: TopicRecordName, "+avro)),
			list(output("subject: RecordName"), output("subject: TopicRecordName")),
		},
		rule{
			"spec.output.schema.register", "there is no definition to register",
			list(output("register: false"), output("register: true, "+avro)),
			list(output("register: true")),
		},
	)
}

// registryRules are those of a registry. Their fields are below it, and their changes are
// fields of it.
func registryRules() []rule {
	rules := []rule{
		{
			"", "set at most one of basicAuth and tokenSecretRef",
			list("", basic("username: a"), "tokenSecretRef: {name: a, key: b}"),
			list(basic("username: a") + ", tokenSecretRef: {name: a, key: b}"),
		},
		{
			".url", "must be a URL that begins with https:// or http://",
			list("url: 'http://registry:8081/apis/ccompat/v7'", "url: 'https://[::1]:8081/'"),
			list("url: 'registry:8081'", "url: 'ftp://a'", "url: 'https://'", "url: 'https://u:p@a'", "url: 'https://a?b'", "url: 'https://a#b'", "url: 'https://a b'"),
		},
		{
			".tls", "the URL begins with http://, so nothing is encrypted",
			list("url: 'https://a', tls: {}", "url: 'http://a'"),
			list("url: 'http://a', tls: {}"),
		},
		{
			".tls", "certificateSecretRef and keySecretRef belong together",
			list(tls(""), tls("certificateSecretRef: {name: a}, keySecretRef: {name: b}")),
			list(tls("certificateSecretRef: {name: a}"), tls("keySecretRef: {name: b}")),
		},
		{
			".tls.serverName", "must be a host's name",
			list(tls("serverName: registry.shop"), tls("serverName: '::1'")),
			list(tls("serverName: 'a b'")),
		},
		{
			".tls.ca[0]", "must have exactly one of secretRef and configMapRef",
			list(tls("ca: [{secretRef: {name: a}}]"), tls("ca: [{configMapRef: {name: a}}]")),
			list(tls("ca: [{}]"), tls("ca: [{secretRef: {name: a}, configMapRef: {name: a}}]")),
		},
		{
			".basicAuth.username", "set exactly one of username and usernameSecretRef",
			list(basic("username: a"), basic("usernameSecretRef: {name: a, key: b}")),
			list("basicAuth: {passwordSecretRef: {name: a, key: b}}", basic("username: a, usernameSecretRef: {name: a, key: b}")),
		},
	}
	for field, change := range registryReferences() {
		rules = append(rules,
			rule{
				field + ".name", "must be the name of a ",
				list(change("{name: ca.shop-1, key: a}")), list(change("{name: CA, key: a}"), change("{name: a/b, key: a}")),
			},
			rule{
				field + ".key", "must be a key",
				list(change("{name: a, key: root_CA-1.pem}")), list(change("{name: a, key: ../a}"), change("{name: a, key: a/b}")),
			})
	}
	return rules
}

// registryReferences are the fields of a registry that name a key of an object.
func registryReferences() map[string]func(ref string) string {
	return map[string]func(ref string) string{
		".tls.ca[0].secretRef":         func(ref string) string { return tls("ca: [{secretRef: " + ref + "}]") },
		".tls.ca[0].configMapRef":      func(ref string) string { return tls("ca: [{configMapRef: " + ref + "}]") },
		".tls.certificateSecretRef":    func(ref string) string { return tls("certificateSecretRef: " + ref + ", keySecretRef: {name: a}") },
		".tls.keySecretRef":            func(ref string) string { return tls("keySecretRef: " + ref + ", certificateSecretRef: {name: a}") },
		".basicAuth.usernameSecretRef": func(ref string) string { return basic("usernameSecretRef: " + ref) },
		".basicAuth.passwordSecretRef": func(ref string) string { return "basicAuth: {username: a, passwordSecretRef: " + ref + "}" },
		".tokenSecretRef":              func(ref string) string { return "tokenSecretRef: " + ref },
	}
}

// basic returns a user with a password.
func basic(fields string) string {
	return "basicAuth: {" + fields + ", passwordSecretRef: {name: a, key: b}}"
}

// ofRegistry converts fields of a registry to changes of a StreamProcessor.
func ofRegistry(side string, changes []string) []string {
	var whole []string
	for _, change := range changes {
		if !strings.Contains(change, "url:") {
			change = "url: 'https://registry', " + change
		}
		whole = append(whole, spec(side+": {schema: {registry: {"+change+"}}}"))
	}
	return whole
}
