package v1alpha1

// SASLSpec authenticates the worker.
//
// +kubebuilder:validation:XValidation:rule="!self.mechanism.matches('^(PLAIN|SCRAM-.*)$') || has(self.username) != has(self.usernameSecretRef)",fieldPath=".username",message="PLAIN and SCRAM need a user name: set exactly one of username and usernameSecretRef"
// +kubebuilder:validation:XValidation:rule="!self.mechanism.matches('^(PLAIN|SCRAM-.*)$') || has(self.passwordSecretRef)",fieldPath=".passwordSecretRef",message="PLAIN and SCRAM need a password: name the Secret and the key that hold it"
// +kubebuilder:validation:XValidation:rule="self.mechanism.matches('^(PLAIN|SCRAM-.*)$') || !has(self.username) && !has(self.usernameSecretRef) && !has(self.passwordSecretRef)",message="user name and password are for PLAIN and SCRAM only: leave them away, or set one of these mechanisms"
// +kubebuilder:validation:XValidation:rule="(self.mechanism == 'OAUTHBEARER') == has(self.oauth)",fieldPath=".oauth",message="oauth and the mechanism OAUTHBEARER belong together: set both or neither"
// +kubebuilder:validation:XValidation:rule="(self.mechanism == 'AWS_MSK_IAM') == has(self.aws)",fieldPath=".aws",message="aws and the mechanism AWS_MSK_IAM belong together: set both or neither"
type SASLSpec struct {
	// mechanism is how the worker authenticates. PLAIN and SCRAM take a user name
	// and a password, OAUTHBEARER takes oauth, AWS_MSK_IAM takes aws. PLAIN and
	// OAUTHBEARER send the password or token as it is: use them with tls.
	// +required
	Mechanism SASLMechanism `json:"mechanism"`

	// username is the user's name.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Username string `json:"username,omitempty"`

	// usernameSecretRef names the user's name in a Secret, in the place of
	// username.
	// +optional
	UsernameSecretRef *SecretKeyRef `json:"usernameSecretRef,omitempty"`

	// passwordSecretRef names the user's password.
	// +optional
	PasswordSecretRef *SecretKeyRef `json:"passwordSecretRef,omitempty"`

	// oauth says where the token of OAUTHBEARER comes from.
	// +optional
	OAuth *OAuthSpec `json:"oauth,omitempty"`

	// aws is for AWS_MSK_IAM. The workers' credentials are those of their pods'
	// identity, and the operator's those of its own.
	// +optional
	AWS *AWSSpec `json:"aws,omitempty"`
}

// SASLMechanism is a way to authenticate.
//
// +kubebuilder:validation:Enum=PLAIN;SCRAM-SHA-256;SCRAM-SHA-512;OAUTHBEARER;AWS_MSK_IAM
type SASLMechanism string

// The mechanisms.
const (
	SASLPlain       SASLMechanism = "PLAIN"
	SASLScramSHA256 SASLMechanism = "SCRAM-SHA-256"
	SASLScramSHA512 SASLMechanism = "SCRAM-SHA-512"
	SASLOAuthBearer SASLMechanism = "OAUTHBEARER"
	SASLAWSMSKIAM   SASLMechanism = "AWS_MSK_IAM"
)

// OAuthSpec says where the token comes from.
//
// +kubebuilder:validation:XValidation:rule="has(self.tokenEndpoint) != has(self.serviceAccountToken)",message="oauth must have exactly one of tokenEndpoint and serviceAccountToken"
type OAuthSpec struct {
	// tokenEndpoint gives out tokens for a client's id and secret.
	// +optional
	TokenEndpoint *TokenEndpointSpec `json:"tokenEndpoint,omitempty"`

	// serviceAccountToken is a token that Kubernetes gives out for the service
	// account of the pods. The operator asks Kafka with such a token too.
	// +optional
	ServiceAccountToken *ServiceAccountTokenSpec `json:"serviceAccountToken,omitempty"`

	// extensions are sent to the broker beside the token, each by its name.
	// +kubebuilder:validation:MaxProperties=20
	// +kubebuilder:validation:XValidation:rule="self.all(name, name.matches('^[a-zA-Z]{1,64}$') && name != 'auth')",message="an extension's name has at most 64 ASCII letters and nothing else, and is not 'auth'"
	// +optional
	Extensions map[string]OAuthExtension `json:"extensions,omitempty"`
}

// OAuthExtension is the value of a SASL extension.
//
// +kubebuilder:validation:MinLength=1
// +kubebuilder:validation:MaxLength=1024
// +kubebuilder:validation:XValidation:rule="self.matches('^[\\\\t\\\\r\\\\n -~]*$')",message="an extension's value has ASCII characters only"
type OAuthExtension string

// TokenEndpointSpec is an OAuth 2 server that gives out tokens for client
// credentials (RFC 6749, section 4.4).
//
// +kubebuilder:validation:XValidation:rule="has(self.clientId) != has(self.clientIdSecretRef)",fieldPath=".clientId",message="must have exactly one of clientId and clientIdSecretRef"
type TokenEndpointSpec struct {
	// url is the token endpoint's, such as https://login.example.com/oauth2/token.
	// It must begin with https://, since the client's secret goes to it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^(https://[^\\\\s/?#@]+(/[^\\\\s?#]*)?([?][^\\\\s#]*)?)?$')",message="must be a URL that begins with https://, without a user name and a fragment"
	// +required
	URL string `json:"url"`

	// clientId is the client's id.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	ClientID string `json:"clientId,omitempty"`

	// clientIdSecretRef names the client's id in a Secret, in the place of
	// clientId.
	// +optional
	ClientIDSecretRef *SecretKeyRef `json:"clientIdSecretRef,omitempty"`

	// clientSecretRef names the client's secret.
	// +required
	ClientSecretRef SecretKeyRef `json:"clientSecretRef"`

	// scope is what is asked for; absent, the server decides.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Scope string `json:"scope,omitempty"`

	// ca lists the certificate authorities that the token endpoint's certificate
	// is checked against. Absent or empty, the authorities of the worker's image
	// are trusted; those of tls are not.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +optional
	CA []CASource `json:"ca,omitempty"`
}

// ServiceAccountTokenSpec is a token of the pods' service account.
type ServiceAccountTokenSpec struct {
	// audience is the one that the token is for: the brokers accept tokens for
	// them only.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +required
	Audience string `json:"audience"`

	// expirationSeconds is how long a token is valid. Kubernetes replaces it
	// before its end, and may choose another time.
	// +kubebuilder:default=3600
	// +kubebuilder:validation:Minimum=600
	// +kubebuilder:validation:Maximum=86400
	// +optional
	ExpirationSeconds *int64 `json:"expirationSeconds,omitempty"`
}

// AWSSpec says where an MSK cluster is.
type AWSSpec struct {
	// region is the cluster's, such as eu-west-1.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-a-z0-9]*$')",message="must be an AWS region, such as eu-west-1"
	// +required
	Region string `json:"region"`
}
