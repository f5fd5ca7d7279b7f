package resources

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/millrace-dev/millrace/api/v1alpha1"
	"github.com/millrace-dev/millrace/worker/config"
)

const full = `
apiVersion: millrace.dev/v1alpha1
kind: StreamProcessor
metadata: {name: orders}
spec:
  kafka:
    bootstrapServers: ["kafka-0:9092", "kafka-1:9092"]
    tls:
      ca: [{secretRef: {name: ca, key: root.pem}}, {configMapRef: {name: corp}}]
      certificateSecretRef: {name: user, key: user.crt}
      keySecretRef: {name: user, key: user.key}
      serverName: kafka
    sasl:
      mechanism: SCRAM-SHA-512
      usernameSecretRef: {name: user, key: name}
      passwordSecretRef: {name: user, key: password}
  input: {topic: in, groupId: g, startOffset: Latest, isolation: ReadUncommitted, onDataLoss: Halt}
  output:
    topic: out
    kafka: {bootstrapServers: ["elsewhere:9092"]}
    compression: zstd
    create: {partitions: 12, replicationFactor: 3}
    deliveryTimeout: 90s
  processor:
    cel: {filter: "true", key: key, value: value, headers: {a: '"b"'}, topic: '"t"'}
  ordering: Key
  concurrency: 3
  inFlight: {records: 500, bytes: 1.5Gi}
  failure:
    maxAttempts: 7
    backoff: {initial: 1s, max: 1m30s}
    timeout: 10m
    stallTimeout: 15m
    onExhausted: DeadLetter
    deadLetter: {topic: dlq, create: {partitions: 1, replicationFactor: 2}, onRefused: Drop}
  drainTimeout: 1m
  logLevel: Debug
`

const least = `
apiVersion: millrace.dev/v1alpha1
kind: StreamProcessor
metadata: {name: copy}
spec:
  kafka: {bootstrapServers: ["kafka:9092"]}
  input: {topic: in}
  output: {topic: out}
  processor: {cel: {}}
`

const mounts = "/credentials"

func decode(t *testing.T, manifest string) *v1alpha1.StreamProcessor {
	t.Helper()
	sp, err := v1alpha1.Decode([]byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	return sp
}

func workerConfig(t *testing.T, sp *v1alpha1.StreamProcessor) config.Config {
	t.Helper()
	cfg, err := WorkerConfig(sp, mounts)
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestWorkerConfigOfEveryField(t *testing.T) {
	of := func(d time.Duration) config.Duration { return config.Duration{Duration: d} }
	want := config.Config{
		Version: 1, Name: "orders",
		Kafka: config.Kafka{
			BootstrapServers: []string{"kafka-0:9092", "kafka-1:9092"},
			TLS: &config.TLS{
				CAFiles:  []string{"/credentials/secrets/ca/root.pem", "/credentials/configmaps/corp/ca.crt"},
				CertFile: "/credentials/secrets/user/user.crt", KeyFile: "/credentials/secrets/user/user.key", ServerName: "kafka",
			},
			SASL: &config.SASL{
				Mechanism: "SCRAM-SHA-512", UsernameFile: "/credentials/secrets/user/name", PasswordFile: "/credentials/secrets/user/password",
			},
		},
		Input: config.Input{
			Topic: "in", GroupID: "g", StartOffset: config.Latest, IsolationLevel: config.ReadUncommitted,
			OnDataLoss: config.HaltOnLoss, SessionTimeout: of(45 * time.Second),
		},
		Output: config.Output{
			Topic: "out", Kafka: &config.Kafka{BootstrapServers: []string{"elsewhere:9092"}},
			Compression: config.Zstd, Create: &config.CreateTopic{Partitions: 12, ReplicationFactor: 3},
			Linger: of(5 * time.Millisecond), DeliveryTimeout: of(90 * time.Second),
		},
		Processor: config.Processor{CEL: &config.CEL{
			Filter: "true", Key: "key", Value: "value", Headers: map[string]string{"a": `"b"`}, Topic: `"t"`,
		}},
		Ordering: config.Key, Delivery: config.AtLeastOnce, Concurrency: 3,
		InFlight: config.InFlight{Records: 500, Bytes: 1536 << 20},
		Failure: config.Failure{
			MaxAttempts: 7, Backoff: config.Backoff{Initial: of(time.Second), Max: of(90 * time.Second)},
			Timeout: of(10 * time.Minute), StallTimeout: of(15 * time.Minute), OnExhausted: config.ToDeadLetter,
			DeadLetter: config.DeadLetter{Topic: "dlq", Create: &config.CreateTopic{Partitions: 1, ReplicationFactor: 2}, OnRefused: config.Drop},
		},
		DrainTimeout: of(time.Minute), Members: 1,
		Telemetry: config.Telemetry{Listen: ":8080", LogFormat: config.LogAuto, LogLevel: config.LogDebug},
	}
	got := workerConfig(t, decode(t, full))
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

// TestWorkerConfigHasTheSameDefaults checks that the defaults of a manifest are those of the
// configuration file.
func TestWorkerConfigHasTheSameDefaults(t *testing.T) {
	want := config.Config{
		Name:  "copy",
		Kafka: config.Kafka{BootstrapServers: []string{"kafka:9092"}},
		Input: config.Input{Topic: "in"}, Output: config.Output{Topic: "out"},
		Processor: config.Processor{CEL: &config.CEL{}},
		Telemetry: config.Telemetry{Listen: ":8080"},
	}
	config.Default(&want)
	got := workerConfig(t, decode(t, least))
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
}

func TestWorkerConfigNamesOnlyCredentialsThatAreReferredTo(t *testing.T) {
	sp := decode(t, full)
	sp.Spec.Kafka.TLS = &v1alpha1.TLSSpec{}
	sp.Spec.Kafka.SASL = nil
	got := workerConfig(t, sp).Kafka
	if got.TLS == nil || !reflect.DeepEqual(*got.TLS, config.TLS{}) || got.SASL != nil {
		t.Errorf("TLS %+v, SASL %+v, want TLS without files and no SASL", got.TLS, got.SASL)
	}
}

func TestWorkerConfigRefuses(t *testing.T) {
	for want, change := range map[string]func(*v1alpha1.StreamProcessor){
		"metadata.name: ":               func(sp *v1alpha1.StreamProcessor) { sp.Name = "" },
		"spec.processor: it is not set": func(sp *v1alpha1.StreamProcessor) { sp.Spec.Processor.CEL = nil },
		"spec.processor: cel and container": func(sp *v1alpha1.StreamProcessor) {
			sp.Spec.Processor.Container = &v1alpha1.ContainerSpec{Image: "i"}
		},
		"spec.processor.container.image: ": func(sp *v1alpha1.StreamProcessor) {
			sp.Spec.Processor = v1alpha1.ProcessorSpec{Container: &v1alpha1.ContainerSpec{}}
		},
		`metadata.name: "Orders": `:        func(sp *v1alpha1.StreamProcessor) { sp.Name = "Orders" },
		`metadata.name: "aaaa`:             func(sp *v1alpha1.StreamProcessor) { sp.Name = strings.Repeat("a", 64) },
		`spec.ordering: "Keyed" is not`:    func(sp *v1alpha1.StreamProcessor) { sp.Spec.Ordering = "Keyed" },
		"spec.failure.maxAttempts: 2000 ":  func(sp *v1alpha1.StreamProcessor) { sp.Spec.Failure.MaxAttempts = new(int32(2000)) },
		"spec.inFlight.bytes: 0 ":          bytes("0"),
		"spec.inFlight.records: 0 ":        func(sp *v1alpha1.StreamProcessor) { sp.Spec.InFlight.Records = new(int32(0)) },
		"spec.failure.maxAttempts: 0 ":     func(sp *v1alpha1.StreamProcessor) { sp.Spec.Failure.MaxAttempts = new(int32(0)) },
		"spec.failure.backoff.initial: 0 ": func(sp *v1alpha1.StreamProcessor) { sp.Spec.Failure.Backoff.Initial = &metav1.Duration{} },
		"spec.failure.backoff.max: 0 ":     func(sp *v1alpha1.StreamProcessor) { sp.Spec.Failure.Backoff.Max = &metav1.Duration{} },
		"spec.failure.timeout: 0 ":         func(sp *v1alpha1.StreamProcessor) { sp.Spec.Failure.Timeout = &metav1.Duration{} },
		"spec.failure.stallTimeout: 0 ":    func(sp *v1alpha1.StreamProcessor) { sp.Spec.Failure.StallTimeout = &metav1.Duration{} },
		"spec.drainTimeout: 0 ":            func(sp *v1alpha1.StreamProcessor) { sp.Spec.DrainTimeout = &metav1.Duration{} },
		"spec.concurrency: 0 ":             func(sp *v1alpha1.StreamProcessor) { sp.Spec.Concurrency = new(int32(0)) },
		"spec.input.groupId: it is empty":  func(sp *v1alpha1.StreamProcessor) { sp.Spec.Input.GroupID = new("") },
		"spec.output.deliveryTimeout: 0 ":  func(sp *v1alpha1.StreamProcessor) { sp.Spec.Output.DeliveryTimeout = &metav1.Duration{} },
		"spec.output.create.replicationFactor: 0 ": func(sp *v1alpha1.StreamProcessor) {
			sp.Spec.Output.Create.ReplicationFactor = new(int16(0))
		},
		"spec.failure.deadLetter.create.replicationFactor: 0 ": func(sp *v1alpha1.StreamProcessor) {
			sp.Spec.Failure.DeadLetter.Create.ReplicationFactor = new(int16(0))
		},
		"spec.inFlight.bytes: 500m ": bytes("500m"),
		"spec.inFlight.bytes: -1 ":   bytes("-1"),
		"spec.inFlight.bytes: 10E ":  bytes("10E"),
	} {
		sp := decode(t, full)
		change(sp)
		if _, err := WorkerConfig(sp, mounts); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("error %v, want one that begins with %q", err, want)
		}
	}
}

func bytes(size string) func(*v1alpha1.StreamProcessor) {
	return func(sp *v1alpha1.StreamProcessor) { sp.Spec.InFlight.Bytes = new(resource.MustParse(size)) }
}

// TestWorkerConfigTellsAll checks that a user sees all mistakes at once.
func TestWorkerConfigTellsAll(t *testing.T) {
	sp := decode(t, least)
	sp.Spec.Output.Topic, sp.Spec.Kafka.BootstrapServers = "in", []string{"kafka"}
	_, err := WorkerConfig(sp, mounts)
	for _, want := range []string{"spec.output.topic: ", "spec.kafka.bootstrapServers[0]: "} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %q", err, want)
		}
	}
}
