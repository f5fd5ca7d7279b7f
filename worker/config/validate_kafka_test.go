package config

import (
	"strings"
	"testing"
)

func TestValidateKafka(t *testing.T) {
	endpoint := func(url string) *OAuth {
		return &OAuth{TokenEndpoint: url, ClientID: "worker", ClientSecretFile: "/secret"}
	}
	extended := func(name, value string) *SASL {
		return &SASL{Mechanism: OAuthBearer, OAuth: &OAuth{TokenFile: "/token", Extensions: map[string]string{name: value}}}
	}
	for name, c := range map[string]struct {
		sasl *SASL
		want string // "" for valid
	}{
		"user in a file":       {&SASL{Mechanism: Plain, UsernameFile: "/u", PasswordFile: "/p"}, ""},
		"user":                 {&SASL{Mechanism: ScramSHA512, Username: "alice", PasswordFile: "/p"}, ""},
		"unknown mechanism":    {&SASL{Mechanism: "SCRAM", Username: "u", PasswordFile: "/p"}, `kafka.sasl.mechanism: "SCRAM" is not allowed: write PLAIN or`},
		"no user":              {&SASL{Mechanism: Plain, PasswordFile: "/p"}, "kafka.sasl.usernameFile: it is not set"},
		"two users":            {&SASL{Mechanism: Plain, Username: "a", UsernameFile: "/u", PasswordFile: "/p"}, `kafka.sasl.username: "a" is set, and so is`},
		"no password":          {&SASL{Mechanism: ScramSHA256, Username: "u"}, "kafka.sasl.passwordFile: it is not set"},
		"a password too many":  {&SASL{Mechanism: AWSMSKIAM, PasswordFile: "/p", AWS: &AWS{"eu-west-1"}}, "kafka.sasl.passwordFile: AWS_MSK_IAM does not use it"},
		"oauth too many":       {&SASL{Mechanism: Plain, Username: "u", PasswordFile: "/p", OAuth: &OAuth{}}, "kafka.sasl.oauth: PLAIN does not use it"},
		"aws too many":         {&SASL{Mechanism: OAuthBearer, OAuth: &OAuth{TokenFile: "/t"}, AWS: &AWS{}}, "kafka.sasl.aws: OAUTHBEARER does not use it"},
		"token file":           {&SASL{Mechanism: OAuthBearer, OAuth: &OAuth{TokenFile: "/token"}}, ""},
		"token endpoint":       {&SASL{Mechanism: OAuthBearer, OAuth: endpoint("https://idp/token?tenant=a")}, ""},
		"no oauth":             {&SASL{Mechanism: OAuthBearer}, "kafka.sasl.oauth: it is not set"},
		"no source":            {&SASL{Mechanism: OAuthBearer, OAuth: &OAuth{}}, "kafka.sasl.oauth: it names no source"},
		"two sources":          {&SASL{Mechanism: OAuthBearer, OAuth: &OAuth{TokenEndpoint: "https://idp/", TokenFile: "/t"}}, "kafka.sasl.oauth: tokenEndpoint and tokenFile are both set"},
		"scope of a file":      {&SASL{Mechanism: OAuthBearer, OAuth: &OAuth{TokenFile: "/t", Scope: "s"}}, "kafka.sasl.oauth: clientId"},
		"no client":            {&SASL{Mechanism: OAuthBearer, OAuth: &OAuth{TokenEndpoint: "https://idp/", ClientSecretFile: "/s"}}, "kafka.sasl.oauth.clientIdFile: "},
		"no client secret":     {&SASL{Mechanism: OAuthBearer, OAuth: &OAuth{TokenEndpoint: "https://idp/", ClientID: "c"}}, "kafka.sasl.oauth.clientSecretFile: "},
		"endpoint over http":   {&SASL{Mechanism: OAuthBearer, OAuth: endpoint("http://idp/token")}, `kafka.sasl.oauth.tokenEndpoint: "http://idp/token" is not an https URL`},
		"endpoint without one": {&SASL{Mechanism: OAuthBearer, OAuth: endpoint("idp.example.com/token")}, "kafka.sasl.oauth.tokenEndpoint: "},
		"endpoint's password":  {&SASL{Mechanism: OAuthBearer, OAuth: endpoint("https://a:hidden@idp/")}, `kafka.sasl.oauth.tokenEndpoint: "https://a:xxxxx@idp/" contains a user`},
		"endpoint's fragment":  {&SASL{Mechanism: OAuthBearer, OAuth: endpoint("https://idp/#a")}, "kafka.sasl.oauth.tokenEndpoint: "},
		"no URL":               {&SASL{Mechanism: OAuthBearer, OAuth: endpoint("https://idp:port/")}, "kafka.sasl.oauth.tokenEndpoint: it is not a URL"},
		"extension":            {extended("logicalCluster", "lkc-abc 123"), ""},
		"extension auth":       {extended("auth", "x"), "kafka.sasl.oauth.extensions.auth: "},
		"extension with dash":  {extended("a-b", "x"), `kafka.sasl.oauth.extensions.a-b: "a-b" can't be`},
		"extension too long":   {extended(strings.Repeat("a", 65), "x"), "kafka.sasl.oauth.extensions.aaa"},
		"extension's value":    {extended("a", "x\x01y"), "kafka.sasl.oauth.extensions.a: the value"},
		"region":               {&SASL{Mechanism: AWSMSKIAM, AWS: &AWS{"us-gov-east-1"}}, ""},
		"no aws":               {&SASL{Mechanism: AWSMSKIAM}, "kafka.sasl.aws: it is not set"},
		"no region":            {&SASL{Mechanism: AWSMSKIAM, AWS: &AWS{}}, "kafka.sasl.aws.region: it is not set"},
		"not a region":         {&SASL{Mechanism: AWSMSKIAM, AWS: &AWS{"Ireland"}}, `kafka.sasl.aws.region: "Ireland" is not`},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := parse(t, least)
			cfg.Kafka.SASL = c.sasl
			err := cfg.Validate()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
				t.Errorf("error %v, want one that begins with %q", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "hidden") {
				t.Errorf("%v shows a password", err)
			}
		})
	}
	cfg := parse(t, least)
	cfg.Kafka.TLS = &TLS{CAFiles: []string{"/ca", ""}}
	if err := cfg.Validate(); err == nil || !strings.HasPrefix(err.Error(), "kafka.tls.caFiles[1]: it is empty") {
		t.Errorf("an empty file name: %v", err)
	}
	cfg.Kafka.TLS = &TLS{ServerName: "kafka/a"}
	if err := cfg.Validate(); err == nil || !strings.HasPrefix(err.Error(), `kafka.tls.serverName: "kafka/a" is not`) {
		t.Errorf("a server that can't be: %v", err)
	}
}
