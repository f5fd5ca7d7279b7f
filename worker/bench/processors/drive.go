package main

import (
	"context"
	"errors"
	"os"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/millrace-dev/millrace/worker/bench/internal/measure"
)

// result is what a turn has measured.
type result struct {
	Records int64
	Seconds float64
	Worker  usage // this process, which stands for the worker
	Program usage // the processes of the subject
}

type usage struct {
	CPUSeconds float64 // while it was measured
	PeakRSS    int64   // bytes, since the start
}

// drive hands batches to a target for the time that the job says. Like an engine, it has two
// calls under way for each process: one that is worked on, and the next one.
func drive(ctx context.Context, t target, j job) (r result, err error) {
	callers := 2 * j.Subject.Processes
	if j.Subject.Kind == inProcess {
		callers = j.Subject.Processes
	}
	var done atomic.Int64
	var ended atomic.Bool
	group, ctx := errgroup.WithContext(ctx)
	for number := range callers {
		group.Go(func() error { return call(ctx, t, newBatch(number), &done, &ended) })
	}
	r, err = observe(ctx, t, j.Settings, &done)
	ended.Store(true)
	if failed := group.Wait(); failed != nil {
		return r, failed // it has ended the observation too
	}
	return r, err
}

// call makes one call after another. It looks at the results of the first one: to look at all
// would cost more than the calls do.
func call(ctx context.Context, t target, b *batch, done *atomic.Int64, ended *atomic.Bool) error {
	for first := true; !ended.Load(); first = false {
		b.reset()
		if err := t.process(ctx, b, done); err != nil {
			return err
		}
		if first {
			if err := b.check(); err != nil {
				return err
			}
		}
	}
	return nil
}

// observe measures between two moments.
func observe(ctx context.Context, t target, s settings, done *atomic.Int64) (r result, err error) {
	if err := wait(ctx, s.WarmUp); err != nil {
		return r, err
	}
	program, err := t.usage()
	if err != nil {
		return r, err
	}
	start, cpu, records := time.Now(), measure.CPU(), done.Load()
	if err := wait(ctx, s.Measured); err != nil {
		return r, err
	}
	r.Records, r.Seconds = done.Load()-records, time.Since(start).Seconds()
	r.Worker = usage{CPUSeconds: (measure.CPU() - cpu).Seconds(), PeakRSS: measure.PeakRSS(os.Getpid())}
	after, err := t.usage()
	r.Program = usage{CPUSeconds: (after.CPU - program.CPU).Seconds(), PeakRSS: after.PeakRSS}
	if err == nil && r.Records == 0 {
		err = errors.New("not one record was processed while it was measured")
	}
	return r, err
}

func wait(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
