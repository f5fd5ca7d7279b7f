package config

import (
	"strings"
	"testing"
)

// TestValidateOutput: results may go to another cluster, to topics that they name, or
// nowhere.
func TestValidateOutput(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*Config)
		want   string // "" for valid
	}{
		"none":                 {func(*Config) {}, ""},
		"for expressions":      {func(c *Config) { c.Processor.CEL = &CEL{} }, "output.topic: it is not set, but processor.cel writes"},
		"two kinds of values":  {func(c *Config) { c.Output.Topic, c.Processor.CEL = "out", &CEL{Value: "1", Values: "[1]"} }, "processor.cel.values: processor.cel.value is set too"},
		"expressions' topics":  {func(c *Config) { c.Processor.CEL = &CEL{Topic: "key"} }, ""},
		"no topic to create":   {func(c *Config) { c.Output.Create = &CreateTopic{Partitions: 1} }, "output.create: output.topic is not set"},
		"name":                 {func(c *Config) { c.Output.Topic = "a b" }, `output.topic: "a b"`},
		"no brokers":           {func(c *Config) { c.Output.Kafka = &Kafka{} }, "output.kafka.bootstrapServers: it is empty"},
		"broker":               {func(c *Config) { c.Output.Kafka = onBrokers("a") }, `output.kafka.bootstrapServers[0]: "a"`},
		"key without its half": {func(c *Config) { c.Output.Kafka = onBrokers("b:1"); c.Output.Kafka.TLS = &TLS{KeyFile: "k"} }, "output.kafka.tls: certFile"},
		"mechanism":            {func(c *Config) { c.Output.Kafka = onBrokers("b:1"); c.Output.Kafka.SASL = &SASL{Mechanism: "X"} }, "output.kafka.sasl.mechanism: "},
		"input's name":         {func(c *Config) { c.Output = Output{Topic: c.Input.Topic, Kafka: onBrokers("b:1")} }, ""},
		"input's name and broker": {func(c *Config) {
			c.Output = Output{Topic: c.Input.Topic, Kafka: onBrokers("b:1", c.Kafka.BootstrapServers[0])}
		}, `output.topic: "orders" is also the input topic, so the worker would read its own records for ever: name another topic, or set output.kafka`},
		"letters' name": {func(c *Config) {
			c.Output, c.Failure.DeadLetter.Topic = Output{Topic: "a", Kafka: onBrokers("b:1")}, "a"
		}, ""},
		"letters' name and broker": {func(c *Config) {
			c.Output, c.Failure.DeadLetter.Topic = Output{Topic: "a", Kafka: onBrokers(c.Kafka.BootstrapServers...)}, "a"
		}, `failure.deadLetter.topic: "a" is also the output topic`},
		"letters in the input": {func(c *Config) {
			c.Output.Kafka, c.Failure.DeadLetter.Topic = onBrokers("b:1"), c.Input.Topic
		}, `failure.deadLetter.topic: "orders" is also the input topic`},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := parse(t, least)
			cfg.Output = Output{}
			c.change(&cfg)
			Default(&cfg)
			err := cfg.Validate()
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
				t.Errorf("error %v, want one that begins with %q", err, c.want)
			}
		})
	}
}

func TestOutputKafka(t *testing.T) {
	cfg := parse(t, least)
	if k, own := cfg.OutputKafka(); own || k.BootstrapServers[0] != cfg.Kafka.BootstrapServers[0] {
		t.Errorf("without output.kafka: %v, own %t", k, own)
	}
	cfg.Output.Kafka = onBrokers(cfg.Kafka.BootstrapServers...)
	if _, own := cfg.OutputKafka(); own {
		t.Error("OutputKafka reports separate connections for the same cluster with the same credentials")
	}
	cfg.Output.Kafka.SASL = &SASL{Mechanism: Plain}
	if k, own := cfg.OutputKafka(); !own || k.SASL == nil || cfg.OutputElsewhere() {
		t.Errorf("other credentials: %v, own %t, elsewhere %t", k, own, cfg.OutputElsewhere())
	}
	cfg.Output.Kafka = onBrokers("b:1")
	if _, own := cfg.OutputKafka(); !own || !cfg.OutputElsewhere() {
		t.Errorf("other brokers: own %t, elsewhere %t", own, cfg.OutputElsewhere())
	}
}

func onBrokers(servers ...string) *Kafka { return &Kafka{BootstrapServers: servers} }
