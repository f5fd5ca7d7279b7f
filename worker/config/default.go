package config

import "time"

// defaultListen is the telemetry's address if the file lacks the field.
const defaultListen = ":8080"

// Default sets the empty or zero fields of c to their defaults, except
// Telemetry.Listen, Concurrency and the fields that have no default. Transaction has
// defaults for ExactlyOnce only. A second call changes nothing.
func Default(c *Config) {
	fill(&c.Version, Version)
	if c.Name != "" {
		fill(&c.Input.GroupID, "millrace-"+c.Name)
	}
	fill(&c.Input.StartOffset, Earliest)
	fill(&c.Input.IsolationLevel, ReadCommitted)
	fill(&c.Input.OnDataLoss, ContinueOnLoss)
	fill(&c.Input.SessionTimeout.Duration, 45*time.Second)
	fill(&c.Output.Compression, None)
	fill(&c.Output.Linger.Duration, 5*time.Millisecond)
	fill(&c.Output.DeliveryTimeout.Duration, 2*time.Minute)
	if c.Output.Schema != nil {
		fill(&c.Output.Schema.Subject, TopicNameSubject)
	}
	fill(&c.Ordering, Unordered)
	fill(&c.Delivery, AtLeastOnce)
	fill(&c.InFlight.Records, 10_000)
	fill(&c.InFlight.Bytes, 64<<20)
	defaultFailure(&c.Failure)
	fill(&c.DrainTimeout.Duration, 20*time.Second)
	if c.Delivery == ExactlyOnce {
		fill(&c.Transaction.Interval.Duration, 100*time.Millisecond)
		fill(&c.Transaction.Timeout.Duration, min(10*time.Second, c.DrainTimeout.Duration))
	}
	fill(&c.Members, 1)
	fill(&c.Telemetry.LogFormat, LogAuto)
	fill(&c.Telemetry.LogLevel, LogInfo)
}

func defaultFailure(f *Failure) {
	fill(&f.MaxAttempts, 5)
	fill(&f.Backoff.Initial.Duration, 100*time.Millisecond)
	fill(&f.Backoff.Max.Duration, 30*time.Second)
	fill(&f.Timeout.Duration, time.Minute)
	fill(&f.StallTimeout.Duration, stallTimeout(f.Timeout.Duration))
	if f.DeadLetter.Topic != "" {
		fill(&f.OnExhausted, ToDeadLetter)
		fill(&f.DeadLetter.OnRefused, Halt)
	}
	fill(&f.OnExhausted, Halt)
}

// stallTimeout returns the default stall timeout. It is longer than an attempt can take
// including the grace after its timeout, so a healthy worker makes progress within it
// whatever its records do.
func stallTimeout(attempt time.Duration) time.Duration {
	return min(max(2*time.Minute, 2*attempt), maxStallTimeout)
}

func fill[T comparable](field *T, value T) {
	var zero T
	if *field == zero {
		*field = value
	}
}
