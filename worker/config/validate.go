package config

import (
	"errors"
	"time"
)

// maxStallTimeout is longer than the longest attempt and its grace.
const maxStallTimeout = 2 * 365 * 24 * time.Hour

// Validate returns all mistakes in c as FieldErrors, joined by errors.Join. It does not
// accept zero values in place of defaults, so call Default first.
func (c Config) Validate() error {
	var f findings
	c.validateVersion(&f)
	f.name("name", c.Name)
	c.Kafka.validate(&f, "kafka")
	c.Input.validate(&f)
	c.Output.validate(&f)
	c.validateOutputSchema(&f)
	c.validateTopics(&f)
	c.Processor.validate(&f)
	oneOf(&f, "ordering", c.Ordering, Unordered, Key, Partition)
	oneOf(&f, "delivery", c.Delivery, AtLeastOnce, ExactlyOnce)
	c.validateTransaction(&f)
	between(&f, "concurrency", c.Concurrency, 0, 10_000)
	between(&f, "inFlight.records", c.InFlight.Records, 1, 10_000_000)
	between(&f, "inFlight.bytes", c.InFlight.Bytes, 1<<20, 1<<40)
	c.Failure.validate(&f)
	f.duration("drainTimeout", c.DrainTimeout, time.Second, time.Hour)
	between(&f, "members", c.Members, 1, 1000)
	c.Telemetry.validate(&f)
	return errors.Join(f.errs...)
}

// validateTopics refuses a topic that serves two purposes, and results without a topic.
func (c Config) validateTopics(f *findings) {
	refuse := func(field, topic, remedy string) {
		if topic != "" && topic == c.Input.Topic {
			f.add(field, "%q is also the input topic, so the worker would read its own records for ever: "+
				"name another topic%s", topic, remedy)
		}
	}
	refuse("failure.deadLetter.topic", c.Failure.DeadLetter.Topic, "")
	if cel := c.Processor.CEL; cel != nil && cel.Topic == "" && c.Output.Topic == "" {
		f.add("output.topic", "it is not set, but processor.cel writes a result for each record that its filter keeps: "+
			"name the topic, or set processor.cel.topic to an expression that names one")
	}
	if c.OutputElsewhere() {
		return
	}
	refuse("output.topic", c.Output.Topic, ", or set output.kafka to the brokers of another cluster")
	if topic := c.Output.Topic; topic != "" && topic == c.Failure.DeadLetter.Topic {
		f.add("failure.deadLetter.topic", "%q is also the output topic, so its readers would take dead letters for results: "+
			"name another topic", topic)
	}
}

func (p Processor) validate(f *findings) {
	if p.CEL != nil && p.CEL.Value != "" && p.CEL.Values != "" {
		f.add("processor.cel.values", "processor.cel.value is set too: value is the value of one result, and values a list of them: remove one")
	}
	if p.Sidecar != nil {
		if p.CEL != nil || p.CELFile != "" {
			f.add("processor.sidecar", "expressions are set too: remove one of them")
		}
		p.Sidecar.validate(f)
	}
}

// maxSocketPath is the longest path of a Unix socket that all systems take.
const maxSocketPath = 100

func (s Sidecar) validate(f *findings) {
	if s.Socket == "" || len(s.Socket) > maxSocketPath {
		f.add("processor.sidecar.socket", "%q is not usable: write a path with at most %d characters", s.Socket, maxSocketPath)
	}
	between(f, "processor.sidecar.batch.maxRecords", s.Batch.MaxRecords, 0, 10_000)
	if s.Batch.MaxBytes != 0 {
		between(f, "processor.sidecar.batch.maxBytes", s.Batch.MaxBytes, 1<<10, 1<<30)
	}
	if s.Batch.Linger.Duration != 0 {
		f.duration("processor.sidecar.batch.linger", s.Batch.Linger, time.Millisecond, 10*time.Second)
	}
}

func (i Input) validate(f *findings) {
	f.topic("input.topic", i.Topic)
	f.group("input.groupId", i.GroupID)
	oneOf(f, "input.startOffset", i.StartOffset, Earliest, Latest)
	oneOf(f, "input.isolation", i.IsolationLevel, ReadCommitted, ReadUncommitted)
	oneOf(f, "input.onDataLoss", i.OnDataLoss, ContinueOnLoss, HaltOnLoss)
	if i.InstanceID != "" {
		f.name("input.instanceId", i.InstanceID)
	}
	i.Schema.validate(f)
	f.duration("input.sessionTimeout", i.SessionTimeout, 6*time.Second, 30*time.Minute)
}

func (o Output) validate(f *findings) {
	if o.Topic != "" {
		f.name("output.topic", o.Topic)
	} else if o.Create != nil {
		f.add("output.create", "output.topic is not set, and no other topic is created: name the topic, or remove output.create")
	}
	if o.Kafka != nil {
		o.Kafka.validate(f, "output.kafka")
	}
	oneOf(f, "output.compression", o.Compression, None, Gzip, Snappy, LZ4, Zstd)
	o.Create.validate(f, "output.create")
	f.duration("output.linger", o.Linger, 0, 10*time.Second)
	f.duration("output.deliveryTimeout", o.DeliveryTimeout, time.Second, 24*time.Hour)
}

func (c *CreateTopic) validate(f *findings, path string) {
	if c == nil {
		return
	}
	between(f, path+".partitions", c.Partitions, 1, 100_000)
	between(f, path+".replicationFactor", c.ReplicationFactor, 0, 100)
}

func (x Failure) validate(f *findings) {
	between(f, "failure.maxAttempts", x.MaxAttempts, 1, 1000)
	f.duration("failure.backoff.initial", x.Backoff.Initial, time.Millisecond, time.Hour)
	f.duration("failure.backoff.max", x.Backoff.Max, time.Millisecond, 24*time.Hour)
	if x.Backoff.Max.Duration < x.Backoff.Initial.Duration {
		f.add("failure.backoff.max", "%s is below failure.backoff.initial, which is %s: raise it or lower the initial wait",
			x.Backoff.Max, x.Backoff.Initial)
	}
	f.duration("failure.timeout", x.Timeout, time.Millisecond, 365*24*time.Hour)
	f.duration("failure.stallTimeout", x.StallTimeout, time.Second, maxStallTimeout)
	oneOf(f, "failure.onExhausted", x.OnExhausted, ToDeadLetter, Drop, Halt)
	x.DeadLetter.Create.validate(f, "failure.deadLetter.create")
	if x.DeadLetter.Topic != "" {
		f.topic("failure.deadLetter.topic", x.DeadLetter.Topic)
		oneOf(f, "failure.deadLetter.onRefused", x.DeadLetter.OnRefused, Halt, Drop)
	} else if x.OnExhausted == ToDeadLetter || x.DeadLetter != (DeadLetter{}) {
		f.add("failure.deadLetter.topic", "it is not set: name the topic for records that can't be processed, "+
			"or set failure.onExhausted to Halt or Drop and remove failure.deadLetter")
	}
}

func (t Telemetry) validate(f *findings) {
	if t.Listen != "" {
		f.listen("telemetry.listen", t.Listen)
	}
	oneOf(f, "telemetry.logFormat", t.LogFormat, LogAuto, LogJSON, LogText)
	oneOf(f, "telemetry.logLevel", t.LogLevel, LogInfo, LogDebug)
}
