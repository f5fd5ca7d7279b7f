package crd

import (
	"context"
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"
	"sigs.k8s.io/yaml"

	"github.com/millrace-dev/millrace/controllers/controllerstest"
)

func TestMain(m *testing.M) { controllerstest.Main(m) }

// least is the smallest valid StreamProcessor.
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

// full has every field of the spec, and some fields of a pod.
const full = `
apiVersion: millrace.dev/v1alpha1
kind: StreamProcessor
metadata: {name: full}
spec:
  kafka:
    bootstrapServers: ["kafka-0:9092", "[::1]:9092"]
    tls:
      ca: [{secretRef: {name: ca, key: root.pem}}, {configMapRef: {name: corp, key: ca.crt}}]
      certificateSecretRef: {name: client, key: user.crt}
      keySecretRef: {name: client, key: user.key}
      serverName: kafka
    sasl:
      mechanism: SCRAM-SHA-512
      usernameSecretRef: {name: user, key: username}
      passwordSecretRef: {name: user, key: password}
  input:
    topic: in
    groupId: g
    startOffset: Latest
    isolation: ReadUncommitted
    onDataLoss: Halt
    schema: {registry: {url: "https://registry", tls: {ca: [{secretRef: {name: ca, key: root.pem}}], certificateSecretRef: {name: client, key: tls.crt}, keySecretRef: {name: client, key: tls.key}, serverName: registry}, basicAuth: {username: a, passwordSecretRef: {name: user, key: password}}}}
  output:
    topic: out
    kafka:
      bootstrapServers: ["elsewhere:9092"]
      tls:
        ca: [{secretRef: {name: ca, key: root.pem}}]
        certificateSecretRef: {name: client, key: tls.crt}
        keySecretRef: {name: client, key: tls.key}
        serverName: kafka
      sasl: {mechanism: PLAIN, username: other, passwordSecretRef: {name: other, key: password}}
    compression: zstd
    create: {partitions: 12, replicationFactor: 3}
    deliveryTimeout: 5m
    schema: {registry: {url: "https://registry", tls: {ca: [{secretRef: {name: ca, key: root.pem}}], certificateSecretRef: {name: client, key: tls.crt}, keySecretRef: {name: client, key: tls.key}, serverName: registry}, basicAuth: {username: a, passwordSecretRef: {name: user, key: password}}}, subject: RecordName, record: a.B, definition: {type: Avro, text: "{}"}, register: true}
  processor:
    cel: {filter: "true", key: key, value: value, headers: {a: '"b"'}, topic: '"t"', image: "worker:1"}
  ordering: Key
  delivery: AtLeastOnce
  concurrency: 3
  inFlight: {records: 500, bytes: 1.5Gi}
  failure:
    maxAttempts: 7
    backoff: {initial: 1s, max: 1m30s}
    timeout: 10m
    stallTimeout: 15m
    onExhausted: DeadLetter
    deadLetter: {topic: dlq, create: {partitions: 1, replicationFactor: 2}, onRefused: Drop}
  logLevel: Debug
  replicas: 3
  autoscaling: {minReplicas: 0, maxReplicas: 1000, targetLag: 10s, mode: RecommendOnly, behavior: {scaleUp: {stabilizationWindow: 30s}, scaleDown: {stabilizationWindow: 10m}, activationLagThreshold: 100, cooldown: 2m}, vertical: {maxCPU: 4, step: 500m}}
  drainTimeout: 1m
  suspend: true
  deletionPolicy: DeleteGroup
  deployment: {labels: {team: orders}, annotations: {reload: "true"}}
  template:
    metadata: {labels: {app.kubernetes.io/part-of: shop}, annotations: {team: orders}}
    spec:
      serviceAccountName: full
      nodeSelector: {zone: a}
      topologySpreadConstraints: null
      containers:
      - {name: worker, resources: {limits: {cpu: 2, memory: 1Gi}}}
      - {name: proxy, image: proxy, anything: {is: [kept]}}
`

// parse reads a manifest and merges changes into it. null removes a field.
func parse(t *testing.T, manifest string, changes ...string) *unstructured.Unstructured {
	t.Helper()
	object := map[string]any{}
	for _, text := range append([]string{manifest}, changes...) {
		var part map[string]any
		if err := yaml.Unmarshal([]byte(text), &part); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		merge(object, part)
	}
	return &unstructured.Unstructured{Object: object}
}

func merge(into, part map[string]any) {
	for key, value := range part {
		child, ok := value.(map[string]any)
		below, both := into[key].(map[string]any)
		switch {
		case ok && both:
			merge(below, child)
		case value == nil:
			delete(into, key)
		default:
			into[key] = value
		}
	}
}

// strict is a client with strict validation of fields.
func strict(api *controllerstest.API) client.Client {
	return client.WithFieldValidation(api.Client, metav1.FieldValidationStrict)
}

// try asks the server whether it would create an object.
func try(api *controllerstest.API, object *unstructured.Unstructured) error {
	object.SetNamespace("default")
	return strict(api).Create(context.Background(), object, client.DryRunAll)
}

// causesOf returns the server's findings about an object.
func causesOf(t *testing.T, err error) []metav1.StatusCause {
	t.Helper()
	status, ok := errors.AsType[*apierrors.StatusError](err)
	if !ok || !apierrors.IsInvalid(err) {
		t.Fatalf("got error %v, want one with the invalid fields", err)
	}
	return status.ErrStatus.Details.Causes
}
