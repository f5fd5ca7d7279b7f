package worker_test

import (
	"context"
	"fmt"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
)

// confirming copies records and reports where each of them was written.
type confirming struct{ outcomes chan string }

func (confirming) Process(_ context.Context, rec *worker.Record, out *worker.Outputs) error {
	out.EmitValue(rec.Value)
	return nil
}

// Observe runs once for each record, after the brokers have acknowledged its outputs.
// The Outcome is valid until Observe returns.
func (c confirming) Observe(o *worker.Outcome) {
	for _, at := range o.Outputs {
		c.outcomes <- fmt.Sprintf("%s/%d is %s as %s/%d", o.Input.Topic, o.Input.Offset, o.Fate, at.Topic, at.Offset)
	}
}

// An OutcomeObserver is a hook: the worker finds it by its method.
func ExampleOutcomeObserver() {
	broker := startBroker("orders", "copies")
	defer broker.Close()
	broker.produce("orders", "an order")

	cfg := config.Config{
		Name:   "copy",
		Kafka:  config.Kafka{BootstrapServers: broker.ListenAddrs()},
		Input:  config.Input{Topic: "orders"},
		Output: config.Output{Topic: "copies"},
	}
	p := confirming{outcomes: make(chan string, 1)}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx, cfg, p) }()

	fmt.Println(<-p.outcomes)
	stop()
	fmt.Println(<-ended)
	// Output:
	// orders/0 is delivered as copies/0
	// <nil>
}
