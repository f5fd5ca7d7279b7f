package config

import (
	"strings"
	"testing"
	"time"
)

// sidecarBatch sets a sidecar with these limits.
func sidecarBatch(b SidecarBatch) func(*Config) {
	return func(c *Config) { c.Processor.Sidecar = &Sidecar{Socket: "/a", Batch: b} }
}

func TestValidateNamesTheFieldAndTheRemedy(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   string // "" for valid
	}{
		"no name":                {func(c *Config) { c.Name = "" }, "name: it is not set"},
		"name with a slash":      {func(c *Config) { c.Name = "a/b" }, `name: "a/b" has characters`},
		"no brokers":             {func(c *Config) { c.Kafka.BootstrapServers = nil }, "kafka.bootstrapServers: it is empty"},
		"broker without a port":  {func(c *Config) { c.Kafka.BootstrapServers = []string{"a:1", "kafka"} }, `kafka.bootstrapServers[1]: "kafka" is not an address`},
		"two brokers in one":     {func(c *Config) { c.Kafka.BootstrapServers = []string{"a:1,b:2"} }, "kafka.bootstrapServers[0]: "},
		"broker at port 0":       {func(c *Config) { c.Kafka.BootstrapServers = []string{"a:0"} }, "kafka.bootstrapServers[0]: the port"},
		"broker at a high port":  {func(c *Config) { c.Kafka.BootstrapServers = []string{"a:65536"} }, "kafka.bootstrapServers[0]: the port"},
		"certificate, no key":    {func(c *Config) { c.Kafka.TLS = &TLS{CertFile: "c"} }, `kafka.tls: certFile is "c" and keyFile is ""`},
		"tls with defaults":      {func(c *Config) { c.Kafka.TLS = &TLS{} }, ""},
		"no input":               {func(c *Config) { c.Input.Topic = "" }, "input.topic: it is not set"},
		"topic ..":               {func(c *Config) { c.Input.Topic = ".." }, "input.topic: "},
		"topic with a space":     {func(c *Config) { c.Input.Topic = "a b" }, `input.topic: "a b" has characters`},
		"topic with an umlaut":   {func(c *Config) { c.Input.Topic = "fäuste" }, "input.topic: "},
		"longest topic":          {func(c *Config) { c.Input.Topic = strings.Repeat("a", 249) }, ""},
		"topic too long":         {func(c *Config) { c.Input.Topic = strings.Repeat("a", 250) }, "input.topic: the name has 250"},
		"group with a newline":   {func(c *Config) { c.Input.GroupID = "a\n" }, "input.groupId: "},
		"group too long":         {func(c *Config) { c.Input.GroupID = strings.Repeat("a", 256) }, "input.groupId: "},
		"group of a dot":         {func(c *Config) { c.Input.GroupID = "." }, "input.groupId: "},
		"group in Greek":         {func(c *Config) { c.Input.GroupID = "ομάδα 1" }, ""},
		"start offset":           {func(c *Config) { c.Input.StartOffset = "earliest" }, `input.startOffset: "earliest" is not allowed: write Earliest or Latest`},
		"onDataLoss":             {func(c *Config) { c.Input.OnDataLoss = "x" }, "input.onDataLoss: "},
		"isolation":              {func(c *Config) { c.Input.IsolationLevel = "x" }, "input.isolation: "},
		"instance":               {func(c *Config) { c.Input.InstanceID = "a b" }, "input.instanceId: "},
		"session too short":      {func(c *Config) { c.Input.SessionTimeout.Duration = time.Second }, "input.sessionTimeout: 1s is out of bounds: choose a value from 6s to 30m0s"},
		"output is input":        {func(c *Config) { c.Output.Topic = c.Input.Topic }, `output.topic: "orders" is also the input topic`},
		"compression":            {func(c *Config) { c.Output.Compression = "brotli" }, `output.compression: "brotli"`},
		"no partitions":          {func(c *Config) { c.Output.Create = &CreateTopic{} }, "output.create.partitions: 0 is out of bounds"},
		"cluster's replication":  {func(c *Config) { c.Output.Create = &CreateTopic{Partitions: 1} }, ""},
		"negative replication":   {func(c *Config) { c.Output.Create = &CreateTopic{1, -1} }, "output.create.replicationFactor: -1"},
		"linger":                 {func(c *Config) { c.Output.Linger.Duration = time.Minute }, "output.linger: "},
		"sidecar":                {func(c *Config) { c.Processor.Sidecar = &Sidecar{Socket: "/run/a.sock"} }, ""},
		"no socket":              {func(c *Config) { c.Processor.Sidecar = &Sidecar{} }, `processor.sidecar.socket: "" is not usable`},
		"long socket":            {func(c *Config) { c.Processor.Sidecar = &Sidecar{Socket: strings.Repeat("a", 101)} }, "processor.sidecar.socket: "},
		"two processors":         {func(c *Config) { c.Processor = Processor{CEL: &CEL{}, Sidecar: &Sidecar{Socket: "/a"}} }, "processor.sidecar: expressions are set too"},
		"sidecar's records":      {sidecarBatch(SidecarBatch{MaxRecords: 10_001}), "processor.sidecar.batch.maxRecords: 10001"},
		"sidecar's bytes":        {sidecarBatch(SidecarBatch{MaxBytes: 1000}), "processor.sidecar.batch.maxBytes: 1k"},
		"sidecar's linger":       {sidecarBatch(SidecarBatch{Linger: Duration{time.Minute}}), "processor.sidecar.batch.linger: 1m0s"},
		"sidecar's limits":       {sidecarBatch(SidecarBatch{MaxRecords: 64, MaxBytes: 1 << 20, Linger: Duration{time.Second}}), ""},
		"ordering":               {func(c *Config) { c.Ordering = "Keys" }, `ordering: "Keys" is not allowed: write Unordered or Key or Partition`},
		"exactly once":           {func(c *Config) { c.Delivery = ExactlyOnce; Default(c) }, ""},
		"transaction":            {func(c *Config) { c.Transaction.Interval.Duration = time.Second }, "transaction: it is for delivery ExactlyOnce"},
		"delivery":               {func(c *Config) { c.Delivery = "AtMostOnce" }, `delivery: "AtMostOnce" is not allowed: write AtLeastOnce or ExactlyOnce`},
		"concurrency":            {func(c *Config) { c.Concurrency = 10_001 }, "concurrency: 10001"},
		"negative concurrency":   {func(c *Config) { c.Concurrency = -1 }, "concurrency: -1"},
		"records":                {func(c *Config) { c.InFlight.Records = 10_000_001 }, "inFlight.records: "},
		"bytes":                  {func(c *Config) { c.InFlight.Bytes = 1000 }, "inFlight.bytes: 1k is out of bounds: choose a value from 1Mi to 1Ti"},
		"attempts":               {func(c *Config) { c.Failure.MaxAttempts = 1001 }, "failure.maxAttempts: 1001"},
		"backoff":                {func(c *Config) { c.Failure.Backoff.Initial.Duration = time.Minute }, "failure.backoff.max: 30s is below failure.backoff.initial, which is 1m0s"},
		"initial backoff":        {func(c *Config) { c.Failure.Backoff.Initial.Duration = time.Microsecond }, "failure.backoff.initial: "},
		"max backoff":            {func(c *Config) { c.Failure.Backoff.Max.Duration = 48 * time.Hour }, "failure.backoff.max: "},
		"timeout":                {func(c *Config) { c.Failure.Timeout.Duration = 9000 * time.Hour }, "failure.timeout: "},
		"practically none":       {func(c *Config) { c.Failure.Timeout.Duration = 720 * time.Hour }, ""},
		"policy":                 {func(c *Config) { c.Failure.OnExhausted = "Ignore" }, `failure.onExhausted: "Ignore"`},
		"no dead-letter topic":   {func(c *Config) { c.Failure.OnExhausted = ToDeadLetter }, "failure.deadLetter.topic: it is not set"},
		"create what":            {func(c *Config) { c.Failure.DeadLetter.Create = &CreateTopic{1, 1} }, "failure.deadLetter.topic: it is not set"},
		"dead letters read":      {func(c *Config) { c.Failure.DeadLetter.Topic = c.Input.Topic }, `failure.deadLetter.topic: "orders" is also the input topic`},
		"dead letters in output": {func(c *Config) { c.Failure.DeadLetter.Topic = c.Output.Topic }, `failure.deadLetter.topic: "orders-enriched" is also the output topic`},
		"dead-letter topic":      {func(c *Config) { c.Failure.DeadLetter.Topic = "a:b" }, "failure.deadLetter.topic: "},
		"dead letters refused":   {func(c *Config) { c.Failure.DeadLetter = DeadLetter{Topic: "dlq", OnRefused: ToDeadLetter} }, `failure.deadLetter.onRefused: "DeadLetter"`},
		"delivery timeout":       {func(c *Config) { c.Output.DeliveryTimeout.Duration = time.Millisecond }, "output.deliveryTimeout: "},
		"dead-letter create":     {func(c *Config) { c.Failure.DeadLetter = DeadLetter{Topic: "dlq", Create: &CreateTopic{}} }, "failure.deadLetter.create.partitions: 0"},
		"drain":                  {func(c *Config) { c.DrainTimeout.Duration = 2 * time.Hour }, "drainTimeout: 2h0m0s"},
		"members":                {func(c *Config) { c.Members = -1 }, "members: -1"},
		"listen":                 {func(c *Config) { c.Telemetry.Listen = "8080" }, `telemetry.listen: "8080" is not an address`},
		"listen port":            {func(c *Config) { c.Telemetry.Listen = ":http" }, "telemetry.listen: the port"},
		"listen nowhere":         {func(c *Config) { c.Telemetry.Listen = "" }, ""},
		"stall":                  {func(c *Config) { c.Failure.StallTimeout.Duration = time.Millisecond }, "failure.stallTimeout: "},
		"log level":              {func(c *Config) { c.Telemetry.LogLevel = "1" }, "telemetry.logLevel: "},
		"log format":             {func(c *Config) { c.Telemetry.LogFormat = "xml" }, "telemetry.logFormat: "},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := parse(t, least)
			c.change(&cfg)
			err := cfg.Validate()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
				t.Errorf("error %v, want one that begins with %q", err, c.want)
			}
		})
	}
}

// TestValidateReportsAllMistakes: a user learns of all mistakes in one run.
func TestValidateReportsAllMistakes(t *testing.T) {
	c := parse(t, least)
	c.Name, c.Output.Topic, c.Members = "", c.Input.Topic, 5000
	err := c.Validate()
	if lines := strings.Split(err.Error(), "\n"); len(lines) != 3 {
		t.Errorf("%d findings, want 3: %v", len(lines), err)
	}
}
