package config

import (
	"errors"
	"strings"
	"testing"
	"time"
)

func TestValidateTransaction(t *testing.T) {
	timed := func(interval, timeout time.Duration) func(*Config) {
		return func(c *Config) { c.Transaction = Transaction{Duration{interval}, Duration{timeout}} }
	}
	for name, c := range map[string]struct {
		change func(*Config)
		want   string // "" for valid
	}{
		"defaults":              {func(*Config) {}, ""},
		"shortest":              {timed(10*time.Millisecond, time.Second), ""},
		"as long as a drain":    {timed(time.Second, 20*time.Second), ""},
		"at least once":         {func(c *Config) { c.Delivery = AtLeastOnce }, "transaction: it is for delivery ExactlyOnce, and delivery is AtLeastOnce"},
		"at least once without": {func(c *Config) { c.Delivery, c.Transaction = AtLeastOnce, Transaction{} }, ""},
		"another cluster":       {func(c *Config) { c.Output.Kafka = new(c.Kafka) }, "output.kafka: it is set, but with delivery ExactlyOnce"},
		"interval too short":    {timed(9*time.Millisecond, time.Second), "transaction.interval: 9ms is out of bounds: choose a value from 10ms to 1h0m0s"},
		"no time to commit":     {timed(10*time.Second, 10*time.Second), "transaction.interval: 10s is not below transaction.timeout, which is 10s"},
		"timeout too short":     {timed(100*time.Millisecond, 999*time.Millisecond), "transaction.timeout: 999ms is out of bounds: choose a value from 1s to 1h0m0s"},
		"longer than a drain":   {timed(time.Second, 21*time.Second), "transaction.timeout: 21s is above drainTimeout, which is 20s"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := parse(t, least+"delivery: ExactlyOnce")
			c.change(&cfg)
			var f findings
			cfg.validateTransaction(&f)
			err := errors.Join(f.errs...)
			if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.HasPrefix(err.Error(), c.want)) {
				t.Errorf("error %v, want one that begins with %q", err, c.want)
			}
		})
	}
}

// TestTransactionsHaveDefaultsForExactlyOnceOnly: the file of a worker without
// transactions says nothing of them.
func TestTransactionsHaveDefaultsForExactlyOnceOnly(t *testing.T) {
	of := func(interval, timeout time.Duration) Transaction {
		return Transaction{Duration{interval}, Duration{timeout}}
	}
	for change, want := range map[string]Transaction{
		"":                      {},
		"delivery: ExactlyOnce": of(100*time.Millisecond, 10*time.Second),
		"delivery: ExactlyOnce\ndrainTimeout: 3s":                          of(100*time.Millisecond, 3*time.Second),
		"delivery: ExactlyOnce\ndrainTimeout: 1h":                          of(100*time.Millisecond, 10*time.Second),
		"delivery: ExactlyOnce\ntransaction: {interval: 1s, timeout: 20s}": of(time.Second, 20*time.Second),
	} {
		if got := parse(t, least+change).Transaction; got != want {
			t.Errorf("%q: %+v, want %+v", change, got, want)
		}
	}
}
