package v1alpha1

import (
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Default fills absent fields with their defaults, for manifests that have not passed
// through an API server. The API server takes the same defaults from the markers of the
// types.
func (sp *StreamProcessor) Default() {
	spec := &sp.Spec
	spec.Kafka.setDefaults()
	fill(&spec.Input.StartOffset, Earliest)
	fill(&spec.Input.OnDataLoss, ContinueOnLoss)
	fill(&spec.Input.Isolation, ReadCommitted)
	if s := spec.Input.Schema; s != nil {
		s.Registry.TLS.setDefaults()
	}
	if spec.Output != nil {
		spec.Output.setDefaults()
	}
	fill(&spec.Ordering, Unordered)
	fill(&spec.Delivery, AtLeastOnce)
	if spec.Transaction != nil {
		fillDuration(&spec.Transaction.Interval, 100*time.Millisecond)
	}
	fill(&spec.InFlight.Records, new(int32(10_000)))
	if spec.InFlight.Bytes == nil {
		spec.InFlight.Bytes = new(resource.MustParse("64Mi"))
	}
	spec.Failure.setDefaults()
	if spec.Autoscaling != nil {
		spec.Autoscaling.setDefaults()
	}
	fillDuration(&spec.DrainTimeout, 20*time.Second)
	fill(&spec.DeletionPolicy, KeepGroup)
}

// setDefaults accepts nil.
func (t *TLSSpec) setDefaults() {
	if t == nil {
		return
	}
	defaultCA(t.CA)
	if t.CertificateSecretRef != nil {
		fill(&t.CertificateSecretRef.Key, "tls.crt")
	}
	if t.KeySecretRef != nil {
		fill(&t.KeySecretRef.Key, "tls.key")
	}
}

func (k *KafkaSpec) setDefaults() {
	k.TLS.setDefaults()
	if k.SASL == nil || k.SASL.OAuth == nil {
		return
	}
	if endpoint := k.SASL.OAuth.TokenEndpoint; endpoint != nil {
		defaultCA(endpoint.CA)
	}
	if token := k.SASL.OAuth.ServiceAccountToken; token != nil {
		fill(&token.ExpirationSeconds, new(int64(3600)))
	}
}

func defaultCA(sources []CASource) {
	for _, source := range sources {
		for _, ref := range []*CARef{source.SecretRef, source.ConfigMapRef} {
			if ref != nil {
				fill(&ref.Key, "ca.crt")
			}
		}
	}
}

func (a *AutoscalingSpec) setDefaults() {
	fillDuration(&a.TargetLag, 30*time.Second)
	fill(&a.Mode, Auto)
	if a.Behavior != nil {
		fillDuration(&a.Behavior.Cooldown, 0)
	}
}

func (o *OutputSpec) setDefaults() {
	fill(&o.Compression, NoCompression)
	fillDuration(&o.DeliveryTimeout, 2*time.Minute)
	if o.Kafka != nil {
		o.Kafka.setDefaults()
	}
	if s := o.Schema; s != nil {
		fill(&s.Subject, TopicNameSubject)
		if s.Registry != nil {
			s.Registry.TLS.setDefaults()
		}
	}
}

func (f *FailureSpec) setDefaults() {
	fill(&f.MaxAttempts, new(int32(5)))
	fillDuration(&f.Backoff.Initial, 100*time.Millisecond)
	fillDuration(&f.Backoff.Max, 30*time.Second)
	fillDuration(&f.Timeout, time.Minute)
	if f.DeadLetter != nil {
		fill(&f.DeadLetter.OnRefused, HaltPartition)
	}
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}

func fillDuration(field **metav1.Duration, value time.Duration) {
	fill(field, &metav1.Duration{Duration: value})
}
