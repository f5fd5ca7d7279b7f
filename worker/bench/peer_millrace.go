package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/millrace-dev/millrace/worker"
	"github.com/millrace-dev/millrace/worker/config"
	"github.com/millrace-dev/millrace/worker/workerstatus"
)

// millrace runs this worker as a pod does, with the defaults and the ordering in the
// program's name. It stops when /status shows that all records are written.
func millrace(ctx context.Context, j job, t task, c *clock) error {
	address, err := freeAddress()
	if err != nil {
		return err
	}
	cfg := config.Config{
		Name:      "bench",
		Kafka:     config.Kafka{BootstrapServers: j.Brokers},
		Input:     config.Input{Topic: j.Input, GroupID: j.Group, StartOffset: config.Earliest},
		Output:    config.Output{Topic: j.Output, Compression: config.None},
		Ordering:  config.Ordering(strings.Fields(j.Program)[1]),
		Failure:   config.Failure{OnExhausted: config.Halt},
		Telemetry: config.Telemetry{Listen: address},
	}
	if exactlyOnce(j.Program) {
		cfg.Delivery = config.ExactlyOnce
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	p := &millraceProcessor{task: t, clock: c}
	ended := make(chan error, 1)
	go func() { ended <- worker.Run(ctx, cfg, p) }()
	start := time.Now()
	for wait := 20 * time.Millisecond; ; {
		select {
		case err := <-ended:
			return fmt.Errorf("the worker ended early: %w", err)
		case <-time.After(wait):
		}
		n := recordsWritten(ctx, address)
		if n >= int64(j.Records) {
			stop()
			err := <-ended
			c.end()
			return err
		}
		wait = untilNextLook(time.Since(start), n, int64(j.Records))
	}
}

// untilNextLook returns how long to wait before the next request to a worker that has
// written n of records after some time. Answers cost the worker's own CPU time, so there
// are few requests before it can have finished.
func untilNextLook(after time.Duration, n, records int64) time.Duration {
	left := time.Duration(float64(after) * float64(records-n) / float64(max(n, 1)))
	return min(max(left/2, 20*time.Millisecond), 500*time.Millisecond)
}

type millraceProcessor struct {
	task  task
	clock *clock
	begun atomic.Bool
}

// Process writes the task's result into the worker's memory, because the input is only
// borrowed.
func (p *millraceProcessor) Process(_ context.Context, rec *worker.Record, out *worker.Outputs) error {
	if !p.begun.Load() {
		p.clock.begin()
		p.begun.Store(true)
	}
	value := out.Buffer(len(rec.Value))[:len(rec.Value)]
	p.task(value, rec.Value)
	out.EmitValue(value)
	return nil
}

// recordsWritten returns how many records the worker has written, or 0 if it does not
// answer.
func recordsWritten(ctx context.Context, address string) int64 {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/status", http.NoBody)
	if err != nil {
		return 0
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer func() { _ = res.Body.Close() }()
	var status workerstatus.Status
	if json.NewDecoder(res.Body).Decode(&status) != nil {
		return 0
	}
	return status.Totals.RecordsOut
}
