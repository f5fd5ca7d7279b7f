package config

import "time"

func (c Config) validateTransaction(f *findings) {
	t := c.Transaction
	if c.Delivery != ExactlyOnce {
		if t != (Transaction{}) {
			f.add("transaction", "it is for delivery ExactlyOnce, and delivery is %s: remove transaction, or set delivery to ExactlyOnce", c.Delivery)
		}
		return
	}
	if c.Output.Kafka != nil {
		f.add("output.kafka", "it is set, but with delivery ExactlyOnce results and offsets are written in one transaction, "+
			"in the cluster of kafka: remove output.kafka, or set delivery to AtLeastOnce")
	}
	f.duration("transaction.interval", t.Interval, 10*time.Millisecond, time.Hour)
	f.duration("transaction.timeout", t.Timeout, time.Second, time.Hour)
	if t.Interval.Duration >= t.Timeout.Duration {
		f.add("transaction.interval", "%s is not below transaction.timeout, which is %s: lower the interval or raise the timeout",
			t.Interval, t.Timeout)
	}
	if t.Timeout.Duration > c.DrainTimeout.Duration {
		f.add("transaction.timeout", "%s is above drainTimeout, which is %s, so a stop could not wait for a transaction: "+
			"lower the timeout or raise drainTimeout", t.Timeout, c.DrainTimeout)
	}
}
