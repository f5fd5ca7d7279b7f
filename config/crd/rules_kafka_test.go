package crd

import "strings"

// kafkaRules are the rules about TLS and SASL in spec.kafka.
func kafkaRules() []rule {
	var rules []rule
	add := func(below, says string, accept, refuse []string) {
		rules = append(rules, rule{"spec.kafka" + below, says, ofKafka(accept), ofKafka(refuse)})
	}
	add(".tls", "certificateSecretRef and keySecretRef belong together",
		list(tls(""), tls("certificateSecretRef: {name: a}, keySecretRef: {name: b}")),
		list(tls("certificateSecretRef: {name: a}"), tls("keySecretRef: {name: b}")))
	add(".tls.serverName", "must be a host's name",
		list(tls("serverName: kafka.shop"), tls("serverName: '::1'")),
		list(tls("serverName: 'a b'"), tls("serverName: 'a/b'")))
	add(".sasl.username", "PLAIN and SCRAM need a user name",
		list(user("username: a"), user("usernameSecretRef: {name: a, key: b}")),
		list(user("username: null"), user("username: a, usernameSecretRef: {name: a, key: b}")))
	add(".sasl.passwordSecretRef", "PLAIN and SCRAM need a password",
		list(user("mechanism: PLAIN, username: a"), user("mechanism: SCRAM-SHA-256, username: a")),
		list(user("username: a, passwordSecretRef: null"), user("mechanism: SCRAM-SHA-256, username: a, passwordSecretRef: null")))
	add(".sasl", "user name and password are for PLAIN and SCRAM only",
		list(oauth(endpoint), oauth(token), "sasl: {mechanism: AWS_MSK_IAM, aws: {region: us-east-1}}"),
		list(oauth(token, "username: a"), oauth(token, "usernameSecretRef: {name: a, key: b}"), oauth(token, "passwordSecretRef: {name: a, key: b}"),
			"sasl: {mechanism: AWS_MSK_IAM, aws: {region: us-east-1}, username: a}"))
	add(".sasl.oauth", "oauth and the mechanism OAUTHBEARER belong together",
		list(oauth(endpoint), oauth(token)),
		list("sasl: {mechanism: OAUTHBEARER}", user("username: a, oauth: {"+token+"}")))
	add(".sasl.aws", "aws and the mechanism AWS_MSK_IAM belong together",
		list("sasl: {mechanism: AWS_MSK_IAM, aws: {region: us-east-1}}"),
		list("sasl: {mechanism: AWS_MSK_IAM}", user("username: a, aws: {region: us-east-1}")))
	add(".sasl.aws.region", "must be an AWS region",
		list("sasl: {mechanism: AWS_MSK_IAM, aws: {region: us-gov-west-1}}"),
		list("sasl: {mechanism: AWS_MSK_IAM, aws: {region: US}}", "sasl: {mechanism: AWS_MSK_IAM, aws: {region: a.b}}"))
	add(".sasl.oauth", "oauth must have exactly one of tokenEndpoint and serviceAccountToken",
		list(oauth(endpoint), oauth(token)),
		list(oauth("extensions: {a: b}"), oauth(endpoint+", "+token)))
	add(".sasl.oauth.extensions", "an extension's name has at most 64 ASCII letters",
		list(oauth(token+", extensions: {logicalCluster: lkc-1, b: c}")),
		list(oauth(token+", extensions: {auth: b}"), oauth(token+", extensions: {a-b: c}"), oauth(token+", extensions: {"+strings.Repeat("a", 65)+": c}")))
	add(".sasl.oauth.extensions[logicalCluster]", "an extension's value has ASCII characters only",
		list(oauth(token+`, extensions: {logicalCluster: "a b\tc"}`)),
		list(oauth(token+", extensions: {logicalCluster: ä}"), oauth(token+`, extensions: {logicalCluster: "a\u0001"}`)))
	add(".sasl.oauth.tokenEndpoint.clientId", "must have exactly one of clientId and clientIdSecretRef",
		list(oauth(endpoint), oauth(endpointWith("clientIdSecretRef: {name: a, key: b}"))),
		list(oauth(endpointWith("scope: a")), oauth(endpointWith("clientId: a, clientIdSecretRef: {name: a, key: b}"))))
	add(".sasl.oauth.tokenEndpoint.url", "must be a URL that begins with https://",
		list(oauth(urlOf("https://login.example.com/oauth2/token?a=b")), oauth(urlOf("https://[::1]:8443"))),
		list(oauth(urlOf("http://a/b")), oauth(urlOf("a/b")), oauth(urlOf("https://u:p@a/b")), oauth(urlOf("https://a/b#c")), oauth(urlOf("https://a b")), oauth(urlOf("https://"))))
	for path, change := range caLists {
		add(path+"[0]", "must have exactly one of secretRef and configMapRef",
			list(change("{secretRef: {name: a}}"), change("{configMapRef: {name: a}}")),
			list(change("{}"), change("{secretRef: {name: a}, configMapRef: {name: a}}")))
	}
	for path, change := range references() {
		add(path+".name", "must be the name of a ",
			list(change("{name: ca.shop-1, key: a}")),
			list(change("{name: CA, key: a}"), change("{name: -a, key: a}"), change("{name: a/b, key: a}"), change("{name: user_1, key: a}")))
		add(path+".key", "must be a key",
			list(change("{name: a, key: root_CA-1.pem}")),
			list(change("{name: a, key: ../a}"), change("{name: a, key: .}"), change("{name: a, key: a/b}")))
	}
	return rules
}

// caLists are the lists of authorities, by their path below the cluster's field.
var caLists = map[string]func(item string) string{
	".tls.ca":                      func(item string) string { return tls("ca: [" + item + "]") },
	".sasl.oauth.tokenEndpoint.ca": func(item string) string { return oauth(endpointWith("clientId: a, ca: [" + item + "]")) },
}

// references are the fields that name a key of an object.
func references() map[string]func(ref string) string {
	fields := map[string]func(ref string) string{
		".tls.certificateSecretRef": func(ref string) string { return tls("certificateSecretRef: " + ref + ", keySecretRef: {name: a}") },
		".tls.keySecretRef":         func(ref string) string { return tls("keySecretRef: " + ref + ", certificateSecretRef: {name: a}") },
		".sasl.usernameSecretRef":   func(ref string) string { return user("usernameSecretRef: " + ref) },
		".sasl.passwordSecretRef":   func(ref string) string { return user("username: a, passwordSecretRef: " + ref) },
		".sasl.oauth.tokenEndpoint.clientIdSecretRef": func(ref string) string {
			return oauth(endpointWith("clientIdSecretRef: " + ref))
		},
		".sasl.oauth.tokenEndpoint.clientSecretRef": func(ref string) string {
			return oauth(endpointWith("clientId: a, clientSecretRef: " + ref))
		},
	}
	for path, change := range caLists {
		for _, kind := range []string{"secretRef", "configMapRef"} {
			fields[path+"[0]."+kind] = func(ref string) string { return change("{" + kind + ": " + ref + "}") }
		}
	}
	return fields
}

const (
	token    = "serviceAccountToken: {audience: kafka}"
	endpoint = "tokenEndpoint: {url: 'https://a/b', clientId: c, clientSecretRef: {name: d, key: e}}"
)

func list(changes ...string) []string { return changes }

// ofKafka converts changes of spec.kafka to changes of a StreamProcessor.
func ofKafka(changes []string) []string {
	var whole []string
	for _, change := range changes {
		whole = append(whole, spec("kafka: {"+change+"}"))
	}
	return whole
}

func tls(fields string) string { return "tls: {" + fields + "}" }

// user returns a user with a password, unless fields override it.
func user(fields string) string {
	for field, value := range map[string]string{"mechanism": "SCRAM-SHA-512", "passwordSecretRef": "{name: user, key: password}"} {
		if !strings.Contains(fields, field+":") {
			fields = field + ": " + value + ", " + fields
		}
	}
	return "sasl: {" + fields + "}"
}

func oauth(fields string, others ...string) string {
	return "sasl: {" + strings.Join(append(others, "mechanism: OAUTHBEARER"), ", ") + ", oauth: {" + fields + "}}"
}

func sasl(fields string) string { return spec("kafka: {sasl: {" + fields + "}}") }

func urlOf(url string) string {
	return "tokenEndpoint: {url: '" + url + "', clientId: c, clientSecretRef: {name: d, key: e}}"
}

// endpointWith returns an endpoint with a client's secret, unless fields override it.
func endpointWith(fields string) string {
	if !strings.Contains(fields, "clientSecretRef:") {
		fields += ", clientSecretRef: {name: d, key: e}"
	}
	return "tokenEndpoint: {url: 'https://a/b', " + fields + "}"
}
