package config

// Kafka says how to reach a cluster. The configuration names files for passwords,
// secrets, keys and tokens, and never holds them itself.
type Kafka struct {
	BootstrapServers []string `json:"bootstrapServers"`
	TLS              *TLS     `json:"tls,omitempty"`
	SASL             *SASL    `json:"sasl,omitempty"`
}

// TLS turns encryption on.
type TLS struct {
	// CAFiles names the files with the authorities to trust, in PEM. Without any, the
	// worker trusts the system's roots.
	CAFiles    []string `json:"caFiles,omitempty"`
	CertFile   string   `json:"certFile,omitempty"`
	KeyFile    string   `json:"keyFile,omitempty"`
	ServerName string   `json:"serverName,omitempty"`
}

// SASL says how the worker authenticates. A newline at the end of a file is not part
// of its value.
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

// OAuth says where the worker gets the tokens for OAUTHBEARER: from TokenFile, or from
// TokenEndpoint with the client's credentials.
type OAuth struct {
	// TokenEndpoint is an https URL that issues tokens for a client's id and secret
	// (RFC 6749, section 4.4).
	TokenEndpoint string `json:"tokenEndpoint,omitempty"`
	// ClientID or ClientIDFile, and ClientSecretFile, are the client's
	// credentials.
	ClientID         string `json:"clientId,omitempty"`
	ClientIDFile     string `json:"clientIdFile,omitempty"`
	ClientSecretFile string `json:"clientSecretFile,omitempty"`
	// Scope is the scope to request with each token. If it is empty, the endpoint
	// chooses.
	Scope string `json:"scope,omitempty"`
	// CAFiles names the files with the authorities to trust for the endpoint's
	// certificate, in PEM. Without any, the worker trusts the system's roots.
	CAFiles []string `json:"caFiles,omitempty"`
	// TokenFile names the file with a token that something else renews, such as a
	// projected service-account token. The worker reads it again before the token
	// expires.
	TokenFile string `json:"tokenFile,omitempty"`
	// Extensions go to the broker with each token (RFC 7628).
	Extensions map[string]string `json:"extensions,omitempty"`
}

// AWS configures Amazon MSK's IAM authentication. The worker uses the credentials of
// its process: environment, web identity (IRSA), EKS Pod Identity or instance role.
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
