package subject

import (
	"context"
	"os"
	"strconv"
	"time"

	"github.com/millrace-dev/millrace/hack/chaos/workload"
	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
)

// millrace runs the worker as a pod does.
func (c Config) millrace(ctx context.Context) error {
	p := &processor{behaviour: workload.Behaviour{Dir: c.SharedDir}, process: []byte(c.Process)}
	return worker.Run(ctx, c.worker(), p, worker.WithLogger(worker.NewLogger(config.LogInfo, config.LogText, os.Stderr)))
}

// worker returns the worker's configuration.
func (c Config) worker() config.Config {
	return config.Config{
		Name: "chaos",
		Kafka: config.Kafka{BootstrapServers: c.Brokers, SASL: &config.SASL{
			Mechanism: config.Plain, Username: c.User, PasswordFile: c.PasswordFile,
		}},
		Input: config.Input{
			Topic: c.Input, GroupID: c.Group, StartOffset: config.Earliest,
			SessionTimeout: duration(SessionTimeout),
		},
		Output:      config.Output{Topic: c.Output, DeliveryTimeout: duration(20 * time.Second)},
		Ordering:    c.Ordering,
		Delivery:    c.Delivery,
		Concurrency: c.Concurrency,
		InFlight:    config.InFlight{Records: c.InFlight, Bytes: 16 << 20},
		Failure: config.Failure{
			MaxAttempts: maxAttempts, Timeout: duration(attemptTimeout),
			Backoff:    config.Backoff{Initial: duration(20 * time.Millisecond), Max: duration(200 * time.Millisecond)},
			DeadLetter: config.DeadLetter{Topic: c.DeadLetter},
		},
		DrainTimeout: duration(DrainTimeout),
		Telemetry:    config.Telemetry{Listen: c.Listen},
		StateDir:     c.StateDir,
		Members:      c.Members,
	}
}

func duration(d time.Duration) config.Duration { return config.Duration{Duration: d} }

// processor is the code that the worker runs.
type processor struct {
	behaviour workload.Behaviour
	process   []byte
}

// Process makes a record's outputs.
func (p *processor) Process(_ context.Context, rec *worker.Record, out *worker.Outputs) error {
	text, _ := rec.Header(workload.HeaderID)
	id, err := workload.Parse(string(text))
	if err != nil {
		return worker.Permanent(err)
	}
	if err := p.behaviour.Attempt(id); err != nil {
		return err
	}
	for i := range id.Kind.Attempted() {
		out.Emit(worker.Output{
			Key: id.OutputKey(i), Value: workload.OutputValue(id.Kind, rec.Value, i), Timestamp: rec.Timestamp,
			Headers: append(rec.Headers[:len(rec.Headers):len(rec.Headers)],
				worker.Header{Key: workload.HeaderIndex, Value: strconv.AppendInt(nil, int64(i), 10)},
				worker.Header{Key: workload.HeaderProcess, Value: p.process}),
		})
	}
	return nil
}
