package v1alpha1

import (
	"strings"
	"testing"
	"time"
)

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

const full = `
apiVersion: millrace.dev/v1alpha1
kind: StreamProcessor
metadata: {name: orders, labels: {team: shop}}
spec:
  kafka:
    bootstrapServers: ["kafka-0:9092", "kafka-1:9092"]
    tls:
      ca: [{secretRef: {name: ca}}, {configMapRef: {name: corp}}]
      certificateSecretRef: {name: client}
      keySecretRef: {name: client}
      serverName: kafka
    sasl: {mechanism: SCRAM-SHA-512, username: shop, passwordSecretRef: {name: user, key: password}}
  input: {topic: in, groupId: g, startOffset: Latest, isolation: ReadUncommitted}
  output: {topic: out, compression: zstd, create: {partitions: 12}}
  processor:
    container: {image: "registry/program:1", imagePullPolicy: Always, args: [-v]}
  ordering: Key
  concurrency: 3
  inFlight: {records: 500, bytes: 1.5Gi}
  failure:
    maxAttempts: 7
    backoff: {initial: 1s}
    timeout: 10m
    stallTimeout: 15m
    onExhausted: DeadLetter
    deadLetter: {topic: dlq, create: {partitions: 1, replicationFactor: 2}}
  autoscaling: {maxReplicas: 12}
  drainTimeout: 1m30s
  suspend: true
  deletionPolicy: DeleteGroup
  template:
    metadata: {labels: {team: shop}}
    spec:
      containers:
      - name: worker
        resources: {limits: {cpu: 2, memory: 1Gi}}
        env: [{name: A, value: b}]
`

func TestDecode(t *testing.T) {
	for name, manifest := range map[string]string{
		"YAML":          full,
		"with markers":  "# A comment\n---" + full + "---\n# the end\n",
		"with line end": strings.ReplaceAll(full, "\n", "\r\n"),
	} {
		sp, err := Decode([]byte(manifest))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		spec := &sp.Spec
		if sp.Name != "orders" || sp.Kind != Kind || *spec.Input.GroupID != "g" || spec.Ordering != Key ||
			spec.InFlight.Bytes.Value() != 1536<<20 || spec.DrainTimeout.Duration != 90*time.Second || !spec.Suspend ||
			spec.DeletionPolicy != DeleteGroup ||
			spec.Template.Metadata.Labels["team"] != "shop" || spec.Processor.Container.Image != "registry/program:1" {
			t.Errorf("%s: read %+v", name, sp)
		}
	}
	sp, err := Decode([]byte(`{"apiVersion":"millrace.dev/v1alpha1","kind":"StreamProcessor","metadata":{"name":"j"},"spec":{"input":{"topic":"a"}}}`))
	if err != nil || sp.Name != "j" || sp.Spec.Input.Topic != "a" {
		t.Errorf("JSON: read %+v, %v", sp, err)
	}
}

func TestDecodeRefuses(t *testing.T) {
	for manifest, want := range map[string]string{
		"":                         "empty",
		"---\n# nothing\n---\n":    "empty",
		"null":                     "empty",
		"text":                     "not a Kubernetes object",
		"[]":                       "not a Kubernetes object",
		"a: {":                     "not readable as YAML",
		least + "---" + least:      "2 documents",
		least + "...\nkind: Pod\n": "2 documents",
		"kind: StreamProcessor":    "apiVersion",
		"apiVersion: millrace.dev/v1alpha1\nkind: Pod":                                          `kind is "Pod"`,
		"apiVersion: millrace.dev/v1\nkind: StreamProcessor":                                    `apiVersion is "millrace.dev/v1"`,
		least + "  orderring: Key":                                                              `"spec.orderring"`,
		least + "  Ordering: Key":                                                               `"spec.Ordering"`,
		least + "  failure: {backoff: {first: 1s}}":                                             `"spec.failure.backoff.first"`,
		least + "  failure: {backof: {}}":                                                       `"spec.failure.backof": the fields of spec.failure are backoff, deadLetter, maxAttempts, onExhausted, stallTimeout, timeout`,
		least + "  suspend: true\n  suspend: false":                                             `"suspend" already set`,
		least + "  drainTimeout: 20":                                                            `spec.drainTimeout: 20 is not a duration: write one like "30s"`,
		least + "  drainTimeout: 20 s":                                                          "spec.drainTimeout: ",
		least + "  failure: {backoff: {max: soon}}":                                             `spec.failure.backoff.max: "soon" is not a duration`,
		least + "  inFlight: {bytes: 64MB}":                                                     "spec.inFlight.bytes: ",
		least + "  inFlight: {bytes: '1e-2147483647'}":                                          "spec.inFlight.bytes: ",
		least + "  concurrency: many":                                                           "spec.concurrency: ",
		least + "  concurrency: 1.5":                                                            "spec.concurrency: 1.5 is not of the right type: write a whole number",
		least + "  autoscaling: {maxReplicas: 3000000000}":                                      "spec.autoscaling.maxReplicas: 3000000000 is not of the right type: write a whole number of at most 32 bits",
		strings.Replace(least, `["kafka:9092"]`, "kafka:9092", 1):                               `spec.kafka.bootstrapServers: "kafka:9092" is not of the right type: write a list`,
		strings.Replace(least, `["kafka:9092"]`, "[a:1, 9092]", 1):                              "spec.kafka.bootstrapServers[1]: ",
		strings.Replace(least, "{cel: {}}", "{image: a}", 1):                                    `"spec.processor.image": the fields of spec.processor are cel, container, sidecar`,
		strings.Replace(least, "{cel: {}}", "{cel: true}", 1):                                   "spec.processor.cel: true is not of the right type: write an object",
		strings.Replace(least, `["kafka:9092"]`, `["kafka:9092"], tls: {ca: [{secret: a}]}`, 1): `"spec.kafka.tls.ca[0].secret": the fields of spec.kafka.tls.ca[0] are configMapRef, secretRef`,
		strings.Replace(least, "{name: copy}", "[copy]", 1):                                     "metadata: ",
	} {
		if sp, err := Decode([]byte(manifest)); err == nil || sp != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngives %v, want an error with %s", manifest, err, want)
		}
	}
}

// TestDecodeTellsAllUnknownFields checks that a user sees all typing errors at once.
func TestDecodeTellsAllUnknownFields(t *testing.T) {
	_, err := Decode([]byte(least + "  orderring: Key\n  suspended: true"))
	for _, want := range []string{"spec.orderring", "spec.suspended"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v does not name %q", err, want)
		}
	}
}

// TestDecodeTellsTheLine checks that line numbers count from the top of the file, not of
// the document.
func TestDecodeTellsTheLine(t *testing.T) {
	if _, err := Decode([]byte("# one\n---\nkind: a\nkind: b\n")); err == nil || !strings.Contains(err.Error(), "line 4") {
		t.Errorf("%v does not name line 4", err)
	}
}
