package controllers

import (
	"testing"
	"time"
)

// TestSteadyStateWritesNothing: the operator writes nothing for a minute, however often it
// reconciles. The API server's audit log has all requests.
func TestSteadyStateWritesNothing(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a minute")
	}
	t.Parallel()
	o := startOperator(t, 6)
	names := []string{"one", "two", "three"}
	for _, name := range names {
		o.processor(name, wantsReplicas(9))
		o.replicas(name, 6)
		o.settle(name)
		o.expect(name, "Ready", yes, "Running")
	}
	// Events are written in the background, late on a busy machine.
	const quiet = 3 * time.Second
	writes, since := -1, time.Now()
	o.eventually("the events to be written", func() error {
		if n := len(o.api.Writes(t, o.user)); n != writes {
			writes, since = n, time.Now()
		}
		if time.Since(since) < quiet {
			return errUnsettled
		}
		return nil
	})
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for end := time.Now().Add(time.Minute); time.Now().Before(end); <-tick.C {
		o.kafka.wakeAll()
	}
	for _, w := range o.api.Writes(t, o.user)[writes:] {
		t.Errorf("written: %s %s %s (%d) at %v", w.Verb, w.Resource, w.Name, w.Code, w.At)
	}
}
