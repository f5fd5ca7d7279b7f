package config

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"
)

func (k Kafka) validate(f *findings, path string) {
	if len(k.BootstrapServers) == 0 {
		f.add(path+".bootstrapServers", "it is empty: name at least one broker as host:port")
	}
	for i, server := range k.BootstrapServers {
		f.broker(fmt.Sprintf("%s.bootstrapServers[%d]", path, i), server)
	}
	if k.TLS != nil {
		k.TLS.validate(f, path+".tls")
	}
	if k.SASL != nil {
		k.SASL.validate(f, path+".sasl")
	}
}

func (t TLS) validate(f *findings, path string) {
	f.files(path+".caFiles", t.CAFiles)
	if (t.CertFile == "") != (t.KeyFile == "") {
		f.add(path, "certFile is %q and keyFile is %q, but they belong together: set both or neither", t.CertFile, t.KeyFile)
	}
	notInName := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-_.:", r)
	}
	if strings.ContainsFunc(t.ServerName, notInName) {
		f.add(path+".serverName", "%q is not a host's name or an IP address: write one, without a port", t.ServerName)
	}
}

func (s SASL) validate(f *findings, path string) {
	oneOf(f, path+".mechanism", s.Mechanism, Plain, ScramSHA256, ScramSHA512, OAuthBearer, AWSMSKIAM)
	switch s.Mechanism {
	case Plain, ScramSHA256, ScramSHA512:
		f.valueOrFile(path+".username", s.Username, s.UsernameFile, "the user's name")
		if s.PasswordFile == "" {
			f.add(path+".passwordFile", "it is not set: name the file that holds the password")
		}
		s.refuseOthers(f, path, "username", "usernameFile", "passwordFile")
	case OAuthBearer:
		if s.OAuth == nil {
			f.add(path+".oauth", "it is not set: name the source of the tokens with tokenEndpoint or tokenFile")
		} else {
			s.OAuth.validate(f, path+".oauth")
		}
		s.refuseOthers(f, path, "oauth")
	case AWSMSKIAM:
		if s.AWS == nil {
			f.add(path+".aws", "it is not set: write {region: ...}, the AWS region of the cluster")
		} else {
			f.region(path+".aws.region", s.AWS.Region)
		}
		s.refuseOthers(f, path, "aws")
	}
}

// refuseOthers refuses the fields that the mechanism does not use, because a user who
// sets one expects an effect.
func (s SASL) refuseOthers(f *findings, path string, used ...string) {
	set := map[string]bool{
		"username": s.Username != "", "usernameFile": s.UsernameFile != "", "passwordFile": s.PasswordFile != "",
		"oauth": s.OAuth != nil, "aws": s.AWS != nil,
	}
	for _, field := range slices.Sorted(maps.Keys(set)) {
		if set[field] && !slices.Contains(used, field) {
			f.add(path+"."+field, "%s does not use it: remove it, or choose another mechanism", s.Mechanism)
		}
	}
}

func (o OAuth) validate(f *findings, path string) {
	switch {
	case o.TokenEndpoint != "" && o.TokenFile != "":
		f.add(path, "tokenEndpoint and tokenFile are both set: remove one of them")
	case o.TokenEndpoint != "":
		f.tokenEndpoint(path+".tokenEndpoint", o.TokenEndpoint)
		f.valueOrFile(path+".clientId", o.ClientID, o.ClientIDFile, "the client's id")
		if o.ClientSecretFile == "" {
			f.add(path+".clientSecretFile", "it is not set: name the file that holds the client's secret")
		}
		f.files(path+".caFiles", o.CAFiles)
	case o.TokenFile == "":
		f.add(path, "it names no source of tokens: set tokenEndpoint or tokenFile")
	case o.ClientID != "" || o.ClientIDFile != "" || o.ClientSecretFile != "" || o.Scope != "" || len(o.CAFiles) > 0:
		f.add(path, "clientId, clientIdFile, clientSecretFile, scope and caFiles belong to tokenEndpoint: remove them, or replace tokenFile by tokenEndpoint")
	}
	for _, name := range slices.Sorted(maps.Keys(o.Extensions)) {
		f.extension(path+".extensions."+name, name, o.Extensions[name])
	}
}

// tokenEndpoint refuses URLs that would show the client's secret to others, on the
// wire or in errors that contain the URL.
func (f *findings) tokenEndpoint(path, endpoint string) {
	parsed, err := url.Parse(endpoint)
	switch {
	case err != nil:
		f.add(path, "it is not a URL: write one such as https://login.example.com/oauth2/token")
	case parsed.Scheme != "https" || parsed.Hostname() == "":
		f.add(path, "%q is not an https URL, and a client's secret must not travel unencrypted: "+
			"write one such as https://login.example.com/oauth2/token", parsed.Redacted())
	case parsed.User != nil:
		f.add(path, "%q contains a user or a password: use clientId and clientSecretFile", parsed.Redacted())
	case parsed.Fragment != "":
		f.add(path, "%q has a fragment, which no client sends: remove the # and everything after it", endpoint)
	}
}

// extension checks an extension by the rules of RFC 7628 and Kafka.
func (f *findings) extension(path, name, value string) {
	notLetter := func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }
	notVisible := func(r rune) bool { return (r < ' ' || r > '~') && !strings.ContainsRune("\t\r\n", r) }
	switch {
	case name == "auth":
		f.add(path, "the name auth is reserved for the token: choose another")
	case name == "" || len(name) > 64 || strings.ContainsFunc(name, notLetter):
		f.add(path, "%q can't be the name of an extension: use at most 64 ASCII letters and nothing else", name)
	case strings.ContainsFunc(value, notVisible):
		f.add(path, "the value has characters that an extension can't hold: use visible ASCII characters and blanks only")
	}
}

func (f *findings) region(path, region string) {
	notInRegion := func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') && r != '-' }
	switch {
	case region == "":
		f.add(path, "it is not set: name the AWS region of the cluster, such as eu-west-1")
	case strings.ContainsFunc(region, notInRegion) || len(region) > 63:
		f.add(path, "%q is not an AWS region: write one such as eu-west-1", region)
	}
}

// valueOrFile checks that exactly one of two fields is set: the one at path, or the
// one at path+"File" that names a file with the value.
func (f *findings) valueOrFile(path, value, file, what string) {
	switch {
	case value != "" && file != "":
		f.add(path, "%q is set, and so is the file %q: remove one of them", value, file)
	case value == "" && file == "":
		f.add(path+"File", "it is not set: name the file that holds %s, or write it in %s", what, path)
	}
}

func (f *findings) files(path string, files []string) {
	for i, file := range files {
		if file == "" {
			f.add(fmt.Sprintf("%s[%d]", path, i), "it is empty: name a file")
		}
	}
}
