package config

// Kafka says how to reach a cluster. Passwords, secrets, keys and tokens are
// in files, never in the configuration.
type Kafka struct {
	BootstrapServers []string `json:"bootstrapServers"`
	TLS              *TLS     `json:"tls,omitempty"`
	SASL             *SASL    `json:"sasl,omitempty"`
}

// TLS turns encryption on.
type TLS struct {
	// CAFiles hold the authorities to trust, in PEM; without any, the system's
	// roots count.
	CAFiles    []string `json:"caFiles,omitempty"`
	CertFile   string   `json:"certFile,omitempty"`
	KeyFile    string   `json:"keyFile,omitempty"`
	ServerName string   `json:"serverName,omitempty"`
}

// SASL authenticates. A trailing newline of the files is not part of the value.
type SASL struct {
	Mechanism Mechanism `json:"mechanism"`
	// Username or UsernameFile, and PasswordFile, are for PLAIN and SCRAM.
	Username     string `json:"username,omitempty"`
	UsernameFile string `json:"usernameFile,omitempty"`
	PasswordFile string `json:"passwordFile,omitempty"`
	// OAuth is for OAUTHBEARER.
	OAuth *OAuth `json:"oauth,omitempty"`
	// AWS is for AWS_MSK_IAM.
	AWS *AWS `json:"aws,omitempty"`
}

// OAuth says where the tokens of OAUTHBEARER come from: from TokenFile, or from
// TokenEndpoint for the client's credentials.
type OAuth struct {
	// TokenEndpoint is the https URL that gives tokens for a client's id and
	// secret (RFC 6749, section 4.4).
	TokenEndpoint string `json:"tokenEndpoint,omitempty"`
	// ClientID or ClientIDFile, and ClientSecretFile, are the client's
	// credentials.
	ClientID         string `json:"clientId,omitempty"`
	ClientIDFile     string `json:"clientIdFile,omitempty"`
	ClientSecretFile string `json:"clientSecretFile,omitempty"`
	// Scope is asked for with each token; empty leaves it to the endpoint.
	Scope string `json:"scope,omitempty"`
	// CAFiles hold the authorities, in PEM, for the endpoint's certificate;
	// without any, the system's roots count.
	CAFiles []string `json:"caFiles,omitempty"`
	// TokenFile holds a token that something else renews, such as a projected
	// service-account token. It is read again before the token expires.
	TokenFile string `json:"tokenFile,omitempty"`
	// Extensions are sent to the broker with each token (RFC 7628).
	Extensions map[string]string `json:"extensions,omitempty"`
}

// AWS is for Amazon MSK's IAM authentication. The credentials are those of the
// process: environment, web identity (IRSA), EKS Pod Identity or instance role.
type AWS struct {
	Region string `json:"region"`
}

// Mechanism is a SASL mechanism.
type Mechanism string

// The mechanisms.
const (
	Plain       Mechanism = "PLAIN"
	ScramSHA256 Mechanism = "SCRAM-SHA-256"
	ScramSHA512 Mechanism = "SCRAM-SHA-512"
	OAuthBearer Mechanism = "OAUTHBEARER"
	AWSMSKIAM   Mechanism = "AWS_MSK_IAM"
)
