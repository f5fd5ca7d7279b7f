package main

import (
	"context"
	"fmt"
	"sync/atomic"

	"github.com/millrace-dev/millrace/worker/bench/internal/measure"
)

// target is a subject that has started.
type target interface {
	// process hands a batch over and returns when it has all results. It adds to done as
	// results come. Several goroutines may call it, each with its batch.
	process(ctx context.Context, b *batch, done *atomic.Int64) error
	// usage returns what the processes beside this one have used.
	usage() (measure.Usage, error)
	// stop ends the subject when no call is under way.
	stop() error
}

func startTarget(ctx context.Context, s subject) (target, error) {
	switch s.Kind {
	case inProcess:
		return echo{}, nil
	case sidecars:
		return startSidecar(ctx, s)
	case numaflow:
		return startMapServer(ctx, s)
	default:
		return nil, fmt.Errorf("there is no kind %q of subjects", s.Kind)
	}
}

// echo is the subject within this process.
type echo struct{}

func (echo) process(_ context.Context, b *batch, done *atomic.Int64) error {
	for i, rec := range b.recs {
		b.outs[i].EmitValue(rec.Value)
	}
	done.Add(batchRecords)
	return nil
}

func (echo) usage() (measure.Usage, error) { return measure.Usage{}, nil }
func (echo) stop() error                   { return nil }
