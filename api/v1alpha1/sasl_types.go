package v1alpha1

// SASLSpec authenticates the worker.
//
// +kubebuilder:validation:XValidation:rule="!self.mechanism.matches('^(PLAIN|SCRAM-.*)$') || has(self.username) != has(self.usernameSecretRef)",fieldPath=".username",message="PLAIN and SCRAM need a user name: set exactly one of username and usernameSecretRef"
// +kubebuilder:validation:XValidation:rule="!self.mechanism.matches('^(PLAIN|SCRAM-.*)$') || has(self.passwordSecretRef)",fieldPath=".passwordSecretRef",message="PLAIN and SCRAM need a password: name the Secret and the key that hold it"
// +kubebuilder:validation:XValidation:rule="self.mechanism.matches('^(PLAIN|SCRAM-.*)$') || !has(self.username) && !has(self.usernameSecretRef) && !has(self.passwordSecretRef)",message="user name and password are for PLAIN and SCRAM only: remove them, or set one of these mechanisms"
// +kubebuilder:validation:XValidation:rule="(self.mechanism == 'OAUTHBEARER') == has(self.oauth)",fieldPath=".oauth",message="oauth and the mechanism OAUTHBEARER belong together: set both or neither"
// +kubebuilder:validation:XValidation:rule="(self.mechanism == 'AWS_MSK_IAM') == has(self.aws)",fieldPath=".aws",message="aws and the mechanism AWS_MSK_IAM belong together: set both or neither"
type SASLSpec struct {
	// mechanism is how the worker authenticates. PLAIN and SCRAM need a user name
	// and a password, OAUTHBEARER needs oauth, AWS_MSK_IAM needs aws. PLAIN and
	// OAUTHBEARER send the password or token in clear text: use them with tls.
	// +required
	Mechanism SASLMechanism `json:"mechanism"`

	// username is the user's name.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Username string `json:"username,omitempty"`

	// usernameSecretRef names a Secret with the user's name, instead of username.
	// +optional
	UsernameSecretRef *SecretKeyRef `json:"usernameSecretRef,omitempty"`

	// passwordSecretRef names a Secret with the user's password.
	// +optional
	PasswordSecretRef *SecretKeyRef `json:"passwordSecretRef,omitempty"`

	// oauth says where the token for OAUTHBEARER comes from.
	// +optional
	OAuth *OAuthSpec `json:"oauth,omitempty"`

	// aws is for AWS_MSK_IAM. The workers use the credentials of their pods'
	// identity, and the operator uses those of its pod.
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
	// tokenEndpoint issues tokens for a client's ID and secret.
	// +optional
	TokenEndpoint *TokenEndpointSpec `json:"tokenEndpoint,omitempty"`

	// serviceAccountToken is a token that Kubernetes issues for the service account
	// of the pods. The operator uses such a token too when it asks Kafka.
	// +optional
	ServiceAccountToken *ServiceAccountTokenSpec `json:"serviceAccountToken,omitempty"`

	// extensions are sent to the broker together with the token, each by its name.
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

// TokenEndpointSpec is an OAuth 2 server that issues tokens for client credentials (RFC
// 6749, section 4.4).
//
// +kubebuilder:validation:XValidation:rule="has(self.clientId) != has(self.clientIdSecretRef)",fieldPath=".clientId",message="must have exactly one of clientId and clientIdSecretRef"
type TokenEndpointSpec struct {
	// url is the URL of the token endpoint, such as
	// https://login.example.com/oauth2/token. It must begin with https://, because
	// the worker sends the client's secret to it.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	// +kubebuilder:validation:XValidation:rule="self.matches('^(https://[^\\\\s/?#@]+(/[^\\\\s?#]*)?([?][^\\\\s#]*)?)?$')",message="must be a URL that begins with https://, without a user name and a fragment"
	// +required
	URL string `json:"url"`

	// clientId is the client's ID.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	ClientID string `json:"clientId,omitempty"`

	// clientIdSecretRef names a Secret with the client's ID, instead of clientId.
	// +optional
	ClientIDSecretRef *SecretKeyRef `json:"clientIdSecretRef,omitempty"`

	// clientSecretRef names a Secret with the client's secret.
	// +required
	ClientSecretRef SecretKeyRef `json:"clientSecretRef"`

	// scope is the scope to request. Without the field the server decides.
	// +kubebuilder:validation:MaxLength=1024
	// +optional
	Scope string `json:"scope,omitempty"`

	// ca lists the certificate authorities for the token endpoint's certificate. If
	// the list is absent or empty, the worker trusts the authorities of its image,
	// and not those of tls.
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=16
	// +optional
	CA []CASource `json:"ca,omitempty"`
}

// ServiceAccountTokenSpec is a token of the pods' service account.
type ServiceAccountTokenSpec struct {
	// audience is the audience of the token. The brokers accept only tokens for
	// their audience.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=1024
	// +required
	Audience string `json:"audience"`

	// expirationSeconds is how long a token is valid. Kubernetes replaces the token
	// before it expires, and may choose another time.
	// +kubebuilder:default=3600
	// +kubebuilder:validation:Minimum=600
	// +kubebuilder:validation:Maximum=86400
	// +optional
	ExpirationSeconds *int64 `json:"expirationSeconds,omitempty"`
}

// AWSSpec says where an MSK cluster is.
type AWSSpec struct {
	// region is the region of the cluster, such as eu-west-1.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=63
	// +kubebuilder:validation:XValidation:rule="self.matches('^[-a-z0-9]*$')",message="must be an AWS region, such as eu-west-1"
	// +required
	Region string `json:"region"`
}
