package config

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"
)

const least = `
name: orders
kafka: {bootstrapServers: ["kafka:9092"]}
input: {topic: orders}
output: {topic: orders-enriched}
`

const full = `
version: 1
name: orders
kafka:
  bootstrapServers: ["kafka-0:9092", "[::1]:9093"]
  tls: {caFiles: [/ca, /ca2], certFile: /crt, keyFile: /key, serverName: kafka}
  sasl: {mechanism: SCRAM-SHA-512, usernameFile: /user, passwordFile: /password}
input: {topic: in, groupId: g, startOffset: Latest, isolation: ReadUncommitted, instanceId: pod-0, sessionTimeout: 10s,
  schema: {registry: {url: "https://registry", tls: {caFiles: [/registry.crt], certFile: /crt, keyFile: /key, serverName: registry}, usernameFile: /user, passwordFile: /password}}}
output:
  topic: out
  kafka:
    bootstrapServers: ["elsewhere:9092"]
    tls: {caFiles: [/secrets/output/ca.crt], certFile: /secrets/output/tls.crt, keyFile: /secrets/output/tls.key, serverName: elsewhere}
    sasl: {mechanism: PLAIN, usernameFile: /secrets/output/username, passwordFile: /secrets/output/password}
  compression: zstd
  create: {partitions: 12, replicationFactor: 3}
  linger: 20ms
  schema: {registry: {url: "https://other", tls: {caFiles: [/other.crt], certFile: /crt, keyFile: /key, serverName: other}, username: u, passwordFile: /password}, subject: RecordName, record: a.B, definition: {type: Avro, text: "{}"}, register: true}
processor:
  cel: {filter: "true", key: key, value: value, headers: {a: '"b"'}, topic: '"t"'}
  celFile: /expressions.yaml
ordering: Key
delivery: AtLeastOnce
concurrency: 3
inFlight: {records: 500, bytes: 1500M}
failure:
  maxAttempts: 7
  backoff: {initial: 1s, max: 1m30s}
  timeout: 10m
  stallTimeout: 5m
  onExhausted: DeadLetter
  deadLetter: {topic: dlq, create: {partitions: 1}}
drainTimeout: 1m
members: 2
telemetry: {listen: "127.0.0.1:0", logFormat: json, logLevel: Debug}
`

func parse(t *testing.T, content string) Config {
	t.Helper()
	c, unknown, err := Parse([]byte(content))
	if err != nil || len(unknown) > 0 {
		t.Fatal(err, unknown)
	}
	return c
}

func TestParseFillsDefaults(t *testing.T) {
	seconds := func(n time.Duration) Duration { return Duration{n * time.Second} }
	want := Config{
		Version: 1, Name: "orders",
		Kafka: Kafka{BootstrapServers: []string{"kafka:9092"}},
		Input: Input{
			Topic: "orders", GroupID: "millrace-orders", StartOffset: Earliest,
			IsolationLevel: ReadCommitted, OnDataLoss: ContinueOnLoss, SessionTimeout: seconds(45),
		},
		Output:   Output{Topic: "orders-enriched", Compression: None, Linger: Duration{5 * time.Millisecond}, DeliveryTimeout: seconds(120)},
		Ordering: Unordered, Delivery: AtLeastOnce,
		InFlight: InFlight{Records: 10_000, Bytes: 64 << 20},
		Failure: Failure{
			MaxAttempts: 5, Backoff: Backoff{Initial: Duration{100 * time.Millisecond}, Max: seconds(30)},
			Timeout: seconds(60), StallTimeout: seconds(120), OnExhausted: Halt,
		},
		DrainTimeout: seconds(20), Members: 1,
		Telemetry: Telemetry{Listen: ":8080", LogFormat: LogAuto, LogLevel: LogInfo},
	}
	if got := parse(t, least); !reflect.DeepEqual(got, want) {
		t.Errorf("got\n%+v\nwant\n%+v", got, want)
	}
	if err := want.Validate(); err != nil {
		t.Errorf("the defaults are not valid: %v", err)
	}
	if got := parse(t, least+"failure: {deadLetter: {topic: dlq}}"); got.Failure.OnExhausted != ToDeadLetter {
		t.Errorf("with a dead-letter topic, onExhausted is %s", got.Failure.OnExhausted)
	}
	if got := parse(t, least+`telemetry: {listen: ""}`); got.Telemetry.Listen != "" {
		t.Errorf(`listen: "" became %q`, got.Telemetry.Listen)
	}
}

// TestStallTimeoutFollowsTheAttempts: the stall timeout is longer than an attempt may
// take, so that long attempts don't make a worker look stalled.
func TestStallTimeoutFollowsTheAttempts(t *testing.T) {
	for timeout, want := range map[string]time.Duration{
		"1s": 2 * time.Minute, "10m": 20 * time.Minute, "8760h": 17520 * time.Hour,
	} {
		c := parse(t, least+"failure: {timeout: "+timeout+"}")
		if got := c.Failure.StallTimeout.Duration; got != want {
			t.Errorf("attempts of %s: stall timeout %v, want %v", timeout, got, want)
		}
		if err := c.Validate(); err != nil {
			t.Errorf("attempts of %s: %v", timeout, err)
		}
	}
}

// TestDefaultLeavesListenEmpty: Default sets no address. worker.Run uses Default, too, and serves no
// telemetry unless its caller sets an address.
func TestDefaultLeavesListenEmpty(t *testing.T) {
	var c Config
	Default(&c)
	if c.Telemetry.Listen != "" || c.Input.GroupID != "" {
		t.Errorf("listen %q, group %q, want both empty", c.Telemetry.Listen, c.Input.GroupID)
	}
}

// fuller is full with every field of SASL, of which no mechanism uses all, with both value
// and values, with a sidecar beside expressions, and with a transaction, for which full has
// an output too many.
var fuller = "transaction: {interval: 1s, timeout: 15s}" + strings.ReplaceAll(strings.NewReplacer("value: value,", `value: value, values: "[1]",`, "  celFile:", "  sidecar: {socket: /s, batch: {maxRecords: 1, maxBytes: 1Mi, linger: 1s}}\n  celFile:").Replace(strings.NewReplacer("usernameFile: /user, passwordFile: /password}}}", "username: u, usernameFile: /user, passwordFile: /password, tokenFile: /token}}}", "username: u, passwordFile: /password}", "username: u, usernameFile: /user, passwordFile: /password, tokenFile: /token}").Replace(full)), "sasl: {", `sasl: {username: u, aws: {region: eu-west-1}, oauth: {
    tokenEndpoint: "https://idp/token", clientId: id, clientIdFile: /id, clientSecretFile: /secret, scope: kafka,
    caFiles: [/idp.crt], tokenFile: /token, extensions: {pool: a}}, `)

// TestParseReadsEveryField sets every field, and reads the configuration again
// after writing it.
func TestParseReadsEveryField(t *testing.T) {
	if err := parse(t, full).Validate(); err != nil {
		t.Fatal(err)
	}
	c := parse(t, fuller)
	if path := zeroField("", reflect.ValueOf(c)); path != "failure.deadLetter.create.replicationFactor" {
		t.Errorf("the test leaves %s empty, want all set but the replication factor", path)
	}
	if c.InFlight.Bytes != 1_500_000_000 || c.Failure.Backoff.Max.Duration != 90*time.Second || *c.Output.Create != (CreateTopic{12, 3}) {
		t.Errorf("read %+v", c)
	}
	content, err := yaml.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if again := parse(t, string(content)); !reflect.DeepEqual(again, c) {
		t.Errorf("read back\n%+v\nwant\n%+v\nwritten as\n%s", again, c, content)
	}
}

// zeroField returns the path of the first field that is empty.
func zeroField(path string, v reflect.Value) string {
	switch {
	case v.IsZero():
		return path
	case v.Kind() == reflect.Pointer:
		return zeroField(path, v.Elem())
	case v.Kind() != reflect.Struct:
		return ""
	}
	for i := range v.NumField() {
		name, _, _ := strings.Cut(v.Type().Field(i).Tag.Get("json"), ",")
		if name == "" || name == "concurrency" {
			continue
		}
		if found := zeroField(below(path, name), v.Field(i)); found != "" {
			return found
		}
	}
	return ""
}

func TestParseRefuses(t *testing.T) {
	for content, want := range map[string]string{
		"":                               "empty",
		"# nothing\n":                    "empty",
		"- a":                            "must contain fields",
		least + "\tx":                    "not readable as YAML",
		least + "---\n" + least:          "more than one YAML document",
		least + "...\nmembers: 2":        "more than one YAML document",
		least + "version: 2\nname: [a]":  `"name" already set`,
		"version: 2\nname: [a]\nnew: b":  "version: it is 2, but this worker reads files up to version 1: the operator is newer",
		least + "version: two":           "version: must be a whole number",
		least + "members: 2\nmembers: 3": `"members" already set`,
		least + "failure: {timeout: 1s, timeout: 2s}":         `"timeout" already set`,
		least + "failure: {backoff: {initial: 5}}":            "failure.backoff.initial: 5 has no unit",
		least + "failure: {backoff: {initial: 5 minutes}}":    `failure.backoff.initial: "5 minutes" is not a duration`,
		least + "failure: {timeout: -1s}":                     "failure.timeout: -1s is negative",
		least + "inFlight: {bytes: 64MB}":                     `inFlight.bytes: "64MB" is not a number of bytes`,
		least + "inFlight: {bytes: 8Ei}":                      `inFlight.bytes: "8Ei" is too large`,
		least + "inFlight: {bytes: 9223372036854775808}":      "inFlight.bytes: ",
		least + "inFlight: {bytes: -1}":                       `inFlight.bytes: "-1" is not`,
		least + "inFlight: {bytes: 1.5Gi}":                    `inFlight.bytes: "1.5Gi" is not`,
		least + "inFlight: {records: many}":                   "inFlight.records: must be a whole number",
		least + "concurrency: 1.5":                            "concurrency: must be a whole number",
		least + "processor: {cel: {values: [1]}}":             "processor.cel.values: must be text",
		least + "processor: {cel: {key: 5}}":                  "processor.cel.key: must be text",
		least + "processor: {cel: {headers: [a]}}":            "processor.cel.headers: must be a map",
		least + "processor: {cel: true}":                      "processor.cel: must contain fields",
		"name: x\nkafka: {bootstrapServers: kafka:9092}":      "kafka.bootstrapServers: must be a list of text",
		"name: x\noutput: {create: {partitions: 3000000000}}": "output.create.partitions: must be a whole number of at most 32 bits",
	} {
		if _, _, err := Parse([]byte(content)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s\ngives %v, want an error with %q", content, err, want)
		}
	}
}

// TestParseIgnoresWhatItDoesNotKnow: an operator that is newer than the worker may write
// fields that the worker does not know.
func TestParseIgnoresWhatItDoesNotKnow(t *testing.T) {
	content := least + "Members: 2\nmembers: 3\nfailure: {backof: {}}\ntelemetry: {'%d': 1, listen: \":1\"}\n"
	c, unknown, err := Parse([]byte(content))
	if err != nil || c.Members != 3 || c.Telemetry.Listen != ":1" {
		t.Fatalf("%+v, %v", c, err)
	}
	want := []string{"Members: unknown field", "failure.backof: unknown field; known fields: backoff, deadLetter", "telemetry.%d: unknown field"}
	if len(unknown) != len(want) {
		t.Fatalf("unknown fields %q, want %q", unknown, want)
	}
	for i := range want {
		if !strings.HasPrefix(unknown[i], want[i]) {
			t.Errorf("unknown field %q, want %q", unknown[i], want[i])
		}
	}
}

// TestParseReportsAllMistakes: one error names all mistakes.
func TestParseReportsAllMistakes(t *testing.T) {
	_, _, err := Parse([]byte("a: 1\nb: 2\nmembers: x"))
	for _, want := range []string{"a: unknown", "b: unknown", "members: must"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not contain %q", err, want)
		}
	}
}

func TestLoadNamesTheFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "worker.yaml")
	if _, _, err := Load(path); err == nil || !strings.Contains(err.Error(), path) {
		t.Errorf("a missing file gives %v", err)
	}
	if err := os.WriteFile(path, []byte("---\n"+least+"---\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, _, err := Load(path); err != nil || c.Name != "orders" {
		t.Errorf("loaded %+v, %v", c, err)
	}
	if err := os.WriteFile(path, []byte("nam: x\nmembers: y"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := Load(path); err == nil || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "nam: ") {
		t.Errorf("a wrong file gives %v", err)
	}
}
