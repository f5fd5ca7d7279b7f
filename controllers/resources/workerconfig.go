package resources

import (
	"errors"
	"path/filepath"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/worker/config"
)

// CredentialPaths are the directories with the content of the Secrets that a
// StreamProcessor refers to, a file for each key. A directory whose Secret is
// not referred to does not matter.
type CredentialPaths struct {
	CA         string // of spec.kafka.tls.caSecretRef
	ClientCert string // of spec.kafka.tls.certSecretRef
	SASL       string // of spec.kafka.sasl.secretRef
}

// listen is where workers serve their telemetry in a pod.
const listen = ":8080"

// The keys of the Secrets; those of certificates are fixed by Kubernetes.
const (
	certKey       = "tls.crt"
	privateKeyKey = "tls.key"
	usernameKey   = "username"
	passwordKey   = "password"
)

// WorkerConfig is the configuration of sp's workers, with defaults filled. It
// fails with all that keeps a worker from running with it, each by the path of
// its field in the manifest.
func WorkerConfig(sp *v1alpha1.StreamProcessor, creds CredentialPaths) (config.Config, error) {
	cfg, err := convert(sp, creds)
	err = errors.Join(checkName(sp), checkProcessor(sp.Spec.Processor), checkZeros(&sp.Spec), err)
	if err == nil {
		err = manifestPaths(cfg.Validate())
	}
	if err != nil {
		return config.Config{}, err
	}
	return cfg, nil
}

// convert fails for what the configuration has no way to say.
func convert(sp *v1alpha1.StreamProcessor, creds CredentialPaths) (config.Config, error) {
	spec := &sp.Spec
	size, err := byteCount("spec.inFlight.bytes", spec.InFlight.Bytes)
	cfg := config.Config{
		Name:         sp.Name,
		Kafka:        kafka(spec.Kafka, creds),
		Input:        input(spec.Input),
		Output:       output(spec.Output),
		Processor:    config.Processor{CEL: Expressions(spec.Processor)},
		Ordering:     config.Ordering(spec.Ordering),
		Delivery:     config.Delivery(spec.Delivery),
		Concurrency:  number(spec.Concurrency),
		InFlight:     config.InFlight{Records: number(spec.InFlight.Records), Bytes: size},
		Failure:      failure(spec.Failure),
		DrainTimeout: duration(spec.DrainTimeout),
		Telemetry:    config.Telemetry{Listen: listen, LogLevel: config.LogLevel(spec.LogLevel)},
	}
	cfg.Input.GroupID = GroupID(sp)
	config.Default(&cfg)
	return cfg, err
}

// GroupID is the consumer group of sp. By default it holds the namespace, if
// there is one: what runs under one name for testing and for production must not
// share a group by accident. Namespaces have no dots, so no two are the same.
func GroupID(sp *v1alpha1.StreamProcessor) string {
	switch {
	case sp.Spec.Input.GroupID != nil:
		return *sp.Spec.Input.GroupID
	case sp.Namespace != "":
		return "millrace-" + sp.Namespace + "." + sp.Name
	default:
		return "millrace-" + sp.Name
	}
}

func kafka(k v1alpha1.KafkaSpec, creds CredentialPaths) config.Kafka {
	cfg := config.Kafka{BootstrapServers: k.BootstrapServers}
	if k.TLS != nil {
		cfg.TLS = &config.TLS{ServerName: k.TLS.ServerName}
		if k.TLS.CASecretRef != nil {
			cfg.TLS.CAFiles = []string{filepath.Join(creds.CA, k.TLS.CASecretRef.Key)}
		}
		if k.TLS.CertSecretRef != nil {
			cfg.TLS.CertFile = filepath.Join(creds.ClientCert, certKey)
			cfg.TLS.KeyFile = filepath.Join(creds.ClientCert, privateKeyKey)
		}
	}
	if k.SASL != nil {
		cfg.SASL = &config.SASL{
			Mechanism:    config.Mechanism(k.SASL.Mechanism),
			UsernameFile: filepath.Join(creds.SASL, usernameKey),
			PasswordFile: filepath.Join(creds.SASL, passwordKey),
		}
	}
	return cfg
}

func input(i v1alpha1.InputSpec) config.Input {
	return config.Input{
		Topic:          i.Topic,
		StartOffset:    config.StartOffset(i.StartOffset),
		IsolationLevel: config.IsolationLevel(i.Isolation),
		OnDataLoss:     config.OnDataLoss(i.OnDataLoss),
	}
}

func output(o *v1alpha1.OutputSpec) config.Output {
	if o == nil {
		return config.Output{}
	}
	cfg := config.Output{
		Topic:       o.Topic,
		Compression: config.Compression(o.Compression),
		Create:      createTopic(o.Create),

		DeliveryTimeout: duration(o.DeliveryTimeout),
	}
	if o.Kafka != nil {
		cfg.Kafka = &config.Kafka{BootstrapServers: o.Kafka.BootstrapServers}
	}
	return cfg
}

// Expressions are those of the built-in processor; nil if p is another one.
func Expressions(p v1alpha1.ProcessorSpec) *config.CEL {
	if p.CEL == nil {
		return nil
	}
	return &config.CEL{
		Filter:  p.CEL.Filter,
		Key:     p.CEL.Key,
		Value:   p.CEL.Value,
		Headers: p.CEL.Headers,
		Topic:   p.CEL.Topic,
	}
}

func failure(f v1alpha1.FailureSpec) config.Failure {
	cfg := config.Failure{
		MaxAttempts: number(f.MaxAttempts),
		Backoff:     config.Backoff{Initial: duration(f.Backoff.Initial), Max: duration(f.Backoff.Max)},
		Timeout:     duration(f.Timeout),
		OnExhausted: config.OnExhausted(f.OnExhausted),

		StallTimeout: duration(f.StallTimeout),
	}
	if f.DeadLetter != nil {
		cfg.DeadLetter = config.DeadLetter{
			Topic:     f.DeadLetter.Topic,
			Create:    createTopic(f.DeadLetter.Create),
			OnRefused: config.OnExhausted(f.DeadLetter.OnRefused),
		}
	}
	return cfg
}

func createTopic(c *v1alpha1.CreateTopicSpec) *config.CreateTopic {
	if c == nil {
		return nil
	}
	topic := &config.CreateTopic{Partitions: c.Partitions}
	if c.ReplicationFactor != nil {
		topic.ReplicationFactor = *c.ReplicationFactor
	}
	return topic
}

// number and duration give 0 for what is absent, which Default fills.
func number(n *int32) int {
	if n == nil {
		return 0
	}
	return int(*n)
}

func duration(d *metav1.Duration) config.Duration {
	if d == nil {
		return config.Duration{}
	}
	return config.Duration{Duration: d.Duration}
}
