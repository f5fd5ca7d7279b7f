package kafkatest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"
)

// Option configures the Apache Kafka that Apache starts.
type Option func(*settings)

type settings struct {
	release    string // "": the default
	features   []string
	properties map[string]string
	host       string
	ports      *ports // nil: any free ones
	secure     bool   // adds the secure listener
	tls        bool
	clientAuth bool
	users      []User
	tokens     bool
	authorizer bool
	acls       []ACL
}

func newSettings(opts []Option) *settings {
	s := &settings{properties: map[string]string{}, host: "127.0.0.1"}
	for _, opt := range opts {
		opt(s)
	}
	return s
}

// User can log in at the secure listener.
type User struct {
	Mechanism string // PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512
	Name      string
	Password  string
}

// ACL allows a user an operation on the named resource.
type ACL struct {
	User      string // "*" means everybody
	Resource  kmsg.ACLResourceType
	Name      string // "*" means every resource of the type; a cluster's name is "kafka-cluster"
	Operation kmsg.ACLOperation
}

// Releases of Kafka other than the default, for Release.
const (
	// Kafka39 has version 1 of the transaction protocol only.
	Kafka39 = "3.9.2"
	Kafka44 = "4.4.0"
)

// Release selects another release of Kafka than the default.
func Release(version string) Option {
	return func(s *settings) { s.release = version }
}

// Feature sets the level of one of the cluster's features, such as transaction.version.
func Feature(name string, level int) Option {
	return func(s *settings) { s.features = append(s.features, "--feature", fmt.Sprintf("%s=%d", name, level)) }
}

// Property sets a line of server.properties.
func Property(key, value string) Option {
	return func(s *settings) { s.properties[key] = value }
}

// Listen makes the broker listen on an address of this machine other than the loopback
// address, for clients on other machines. It uses Kafka's usual ports, 9092, and 9093 for
// the secure listener, which have to be free.
func Listen(host string) Option {
	return func(s *settings) {
		s.host, s.ports = host, &ports{plain: 9092, secure: 9093, controller: 9094}
	}
}

// TLS encrypts the secure listener. Broker.CA signs its certificate, for localhost and
// the broker's address.
func TLS() Option {
	return func(s *settings) { s.secure, s.tls = true, true }
}

// MutualTLS encrypts the secure listener like TLS, and makes it require a client
// certificate from Broker.CA.
func MutualTLS() Option {
	return func(s *settings) { s.secure, s.tls, s.clientAuth = true, true, true }
}

// Users makes the secure listener require SASL with the mechanisms of these users.
func Users(users ...User) Option {
	return func(s *settings) { s.secure, s.users = true, append(s.users, users...) }
}

// Tokens makes the secure listener accept unsecured tokens (see Token) by OAUTHBEARER,
// without checking signatures.
func Tokens() Option {
	return func(s *settings) { s.secure, s.tokens = true, true }
}

// Reauthenticate makes a session on the secure listener last for d. At the first later
// request the broker closes the connection, unless the client has authenticated again.
func Reauthenticate(d time.Duration) Option {
	return Property("listener.name.secure.connections.max.reauth.ms", strconv.FormatInt(d.Milliseconds(), 10))
}

// ACLs turns the authoriser on, and allows only the given operations on the secure
// listener. The plaintext listener stays open for everything.
func ACLs(acls ...ACL) Option {
	return func(s *settings) { s.authorizer, s.acls = true, append(s.acls, acls...) }
}

// protocol returns the secure listener's security protocol.
func (s *settings) protocol() string {
	name := "PLAINTEXT"
	if s.tls {
		name = "SSL"
	}
	if len(s.mechanisms()) > 0 {
		name = "SASL_" + name
	}
	return name
}

// oauthBearer is the mechanism of Tokens.
const oauthBearer = "OAUTHBEARER"

// mechanisms returns the mechanisms of the users and of tokens, each once.
func (s *settings) mechanisms() []string {
	var names []string
	if s.tokens {
		names = append(names, oauthBearer)
	}
	for _, user := range s.users {
		names = append(names, user.Mechanism)
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// scramArguments returns the arguments with which StorageTool makes the SCRAM users.
func (s *settings) scramArguments() []string {
	var args []string
	for _, user := range s.users {
		if user.Mechanism != "PLAIN" {
			args = append(args, "--add-scram",
				fmt.Sprintf("%s=[name=%s,password=%s]", user.Mechanism, user.Name, user.Password))
		}
	}
	return args
}

// saslProperties returns the properties that configure the secure listener's mechanisms.
func (s *settings) saslProperties() map[string]string {
	names := s.mechanisms()
	if len(names) == 0 {
		return nil
	}
	properties := map[string]string{"sasl.enabled.mechanisms": strings.Join(names, ",")}
	for _, name := range names {
		module := "org.apache.kafka.common.security.scram.ScramLoginModule required"
		switch name {
		case oauthBearer:
			module = "org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required"
		case "PLAIN":
			module = "org.apache.kafka.common.security.plain.PlainLoginModule required"
			for _, user := range s.users {
				if user.Mechanism == name {
					module += fmt.Sprintf(" user_%s=%q", user.Name, user.Password)
				}
			}
		}
		properties["listener.name.secure."+strings.ToLower(name)+".sasl.jaas.config"] = module + ";"
	}
	return properties
}

// lines formats properties as a file, in a fixed order.
func lines(properties map[string]string) string {
	var b strings.Builder
	for _, key := range slices.Sorted(maps.Keys(properties)) {
		fmt.Fprintf(&b, "%s=%s\n", key, strings.ReplaceAll(properties[key], `\`, `\\`))
	}
	return b.String()
}
